private import CKafka

/// The headers of a record that was consumed or delivered. Borrowed: valid as long as the record.
struct KafkaHeaders {
    /// An rd_kafka_headers_t of the record; nil where it has none.
    private let pointer: OpaquePointer?
    /// False: there are some that librdkafka does not read: damaged, or more than 100,000.
    let isReadable: Bool

    /// - Parameter message: an rd_kafka_message_t.
    init(message: UnsafeRawPointer) {
        var headers: OpaquePointer?
        // Parsed on the first call and kept by the message.
        let code = rd_kafka_message_headers(message.assumingMemoryBound(to: rd_kafka_message_t.self), &headers)
        pointer = code == RD_KAFKA_RESP_ERR_NO_ERROR ? headers : nil
        isReadable = code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NOENT
    }

    var count: Int { pointer.map { rd_kafka_header_cnt($0) } ?? 0 }

    subscript(index: Int) -> KafkaHeader {
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var length = 0
        let code = rd_kafka_header_get_all(pointer, index, &name, &value, &length)
        precondition(code == RD_KAFKA_RESP_ERR_NO_ERROR, "header index out of range")
        return KafkaHeader(name: ByteView(cString: name), value: ByteView(message: value, length))
    }

    /// The value of the last header of that name, without regard to ASCII case; nil: no such header, or a null value.
    func last(named name: ByteView) -> ByteView? {
        var index = count - 1
        while index >= 0 {
            let header = self[index]
            if header.name.equalsIgnoringCase(name) { return header.value }
            index -= 1
        }
        return nil
    }
}

@available(*, unavailable)
extension KafkaHeaders: Sendable {}

extension ByteView {
    /// A key or value of librdkafka: null is no value, which is not the same as an empty one.
    init?(message pointer: UnsafeRawPointer?, _ length: Int) {
        guard let pointer else { return nil }
        self.init(base: pointer.assumingMemoryBound(to: UInt8.self), count: length)
    }
}
