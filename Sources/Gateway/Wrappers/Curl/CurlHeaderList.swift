private import CCurl

/// The header lines of an outgoing request, in memory that is used again for the next one.
///
/// libcurl only reads the list, so the nodes are laid out here rather than allocated one by one by curl_slist_append(3).
final class CurlHeaderList {
    private let text = ByteBuffer(capacity: 1024)
    private var starts: [Int] = []
    private var nodes: UnsafeMutablePointer<curl_slist>
    private var capacity = 32

    init() { nodes = .allocate(capacity: capacity) }

    deinit { nodes.deallocate() }

    func removeAll() {
        text.removeAll(keepingAtMost: 16 << 10)
        starts.removeAll(keepingCapacity: true)
    }

    /// Adds `name: value`. An empty value is sent as an empty header; what is not HTTP is left out, since libcurl would read
    /// more into it: `Content-Length;x: 1` keeps it from sending its own Content-Length, `Host;x: a` is the Host it sends.
    func append(_ name: ByteView, _ value: ByteView) {
        if name.isToken, value.isFieldValue { add(name, value) }
    }

    func append(_ name: StaticString, _ value: ByteView) { append(ByteView(name), value) }

    /// Adds all lines of a table.
    func append(_ lines: HeaderTable) {
        for index in 0..<lines.count { add(lines[index].name, lines[index].value) }
    }

    private func add(_ name: ByteView, _ value: ByteView) {
        starts.append(text.count)
        text.append(name)
        if value.isEmpty {
            text.append(";")  // libcurl's way to write a header without a value (CURLOPT_HTTPHEADER(3))
        } else {
            text.append(": ")
            text.append(value)
        }
        text.append(0)
    }

    /// Keeps libcurl from adding a header of its own.
    func suppress(_ name: StaticString) {
        starts.append(text.count)
        text.append(name)
        text.append(":")
        text.append(0)
    }

    /// The list as libcurl wants it; valid until the next change.
    fileprivate func makeList() -> UnsafeMutablePointer<curl_slist>? {
        guard !starts.isEmpty else { return nil }
        if starts.count > capacity {
            nodes.deallocate()
            capacity = starts.count * 2
            nodes = .allocate(capacity: capacity)
        }
        let base = UnsafeMutableRawPointer(text.base).assumingMemoryBound(to: CChar.self)
        for index in starts.indices {
            let next = index + 1 < starts.count ? nodes + index + 1 : nil
            (nodes + index).initialize(to: curl_slist(data: base + starts[index], next: next))
        }
        return nodes
    }

    /// The list as an untyped pointer, for CURLOPT_HTTPHEADER.
    var rawList: UnsafeRawPointer? { makeList().map { UnsafeRawPointer($0) } }
}

@available(*, unavailable)
extension CurlHeaderList: Sendable {}
