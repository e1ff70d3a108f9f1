import TestSupport

@testable import Gateway

/// What the parser makes of some bytes.
enum SeenResponse: Equatable {
    case complete(status: Int, body: String, keepsAlive: Bool, left: String)
    case incomplete
    case tooLarge
    case malformed(String)

    /// Feeds the bytes in pieces of these sizes (the last one again and again), then the end if it is `closed`.
    static func read(
        _ bytes: [UInt8],
        pieces: [Int] = [.max],
        closed: Bool = false,
        maxBodyBytes: Int = 1 << 20
    ) -> SeenResponse {
        var parser = HTTP1ResponseParser(maxBodyBytes: maxBodyBytes)
        let inbox = ByteBuffer()
        let headers = ByteBuffer()
        let body = ByteBuffer()
        var start = 0
        var piece = 0
        do throws(HTTP1ResponseParser.Malformed) {
            while start < bytes.count {
                let length = min(pieces[min(piece, pieces.count - 1)], bytes.count - start)
                piece += 1
                inbox.append(contentsOf: Array(bytes[start..<start + length]))
                start += length
                var consumed = 0
                let progress = try parser.consume(inbox.view, headers: headers, body: body, consumed: &consumed)
                inbox.removeFirst(consumed)
                switch progress {
                case .incomplete: continue
                case .tooLarge: return .tooLarge
                case .complete:
                    return .complete(
                        status: parser.status,
                        body: body.view.string,
                        keepsAlive: parser.keepsAlive,
                        left: inbox.view.string + String(decoding: bytes[start...], as: UTF8.self)
                    )
                }
            }
        } catch {
            return .malformed("\(error.reason)")
        }
        guard closed, parser.end() else { return .incomplete }
        return .complete(status: parser.status, body: body.view.string, keepsAlive: parser.keepsAlive, left: "")
    }

    static func read(_ text: String, closed: Bool = false, maxBodyBytes: Int = 1 << 20) -> SeenResponse {
        read(Array(text.utf8), closed: closed, maxBodyBytes: maxBodyBytes)
    }

    static func ok(_ body: String = "", status: Int = 200, keepsAlive: Bool = true, left: String = "") -> SeenResponse {
        .complete(status: status, body: body, keepsAlive: keepsAlive, left: left)
    }

    var isMalformed: Bool {
        if case .malformed = self { true } else { false }
    }
}
