/// Makes events small, and free of what must not be shown. Confined to its shard.
final class EventTrimmer {
    /// The longest event that is shown, and the longest of its members.
    private static let maxEventBytes = 16 << 10
    private static let maxMemberBytes = 4 << 10
    /// Longer events are not looked into.
    private static let maxReadBytes = 1 << 20

    /// Requests, and rows' parts of them, are left out.
    private let hidesRequests: Bool
    private let outline = JSONOutline()
    private let out = ByteBuffer(capacity: 1 << 10)

    /// - Parameter hidesRequests: Captured request bodies are left out. False also where there are none.
    init(hidesRequests: Bool) { self.hidesRequests = hidesRequests }

    /// An event as `{"id":…,"time":…,"data":{…}}`; nil where it is too long, or can't be read although it must be.
    func trim(_ frame: EventFrame) -> [UInt8]? {
        guard frame.data.count <= Self.maxReadBytes else { return nil }
        out.removeAll()
        out.append("{\"id\":\"")
        out.append(frame.id)
        out.append("\",\"time\":\"")
        out.append(frame.time)
        out.append("\",\"data\":")
        if hidesRequests || frame.data.count > Self.maxEventBytes {
            guard appendMembers(of: frame.data) else { return nil }
        } else {
            out.append(frame.data)
        }
        out.append("}")
        return out.count <= Self.maxEventBytes + 256 ? out.view.array : nil
    }

    /// Whether a member tells what the client sent: `input`, `request`, and what is said about them.
    private static func isOfRequest(_ name: ByteView) -> Bool {
        name.hasPrefix(ByteView("input")) || (name.hasPrefix(ByteView("request")) && !(name == "requestId"))
    }

    /// Appends the data with its long members as null, whose names are then listed in `omitted`.
    private func appendMembers(of data: ByteView) -> Bool {
        do throws(JSONOutline.Fault) { try outline.read(data, depth: 1) } catch { return false }
        let omitted = ByteBuffer(capacity: 64)
        let end = outline.after(0)
        var node = 1
        out.append("{")
        while node < end {
            let name = outline.inside(node)
            let value = node + 1
            defer { node = outline.after(value) }
            if hidesRequests, Self.isOfRequest(name) { continue }
            out.append(outline.bytes(node))
            out.append(":")
            if outline.bytes(value).count <= Self.maxMemberBytes {
                out.append(outline.bytes(value))
            } else {
                out.append("null")
                if !omitted.isEmpty { omitted.append(",") }
                omitted.append(outline.bytes(node))
            }
            out.append(",")
        }
        out.append("\"omitted\":[")
        out.append(omitted.view)
        out.append("]}")
        return true
    }
}

@available(*, unavailable)
extension EventTrimmer: Sendable {}
