private import CKafka

/// A consumed record. Its views are valid as long as the object, which may outlive the consumer's poll.
///
/// It keeps the whole FETCH event: librdkafka frees the message with the event, of which each carries one message. It keeps
/// its client too, which therefore ends with the last message of a consumer that is let go.
final class KafkaMessage: @unchecked Sendable {
    // Sendable: handed from thread to thread and used by one at a time, which librdkafka allows.
    /// nil: it was recycled.
    private var event: OpaquePointer?
    private var message: UnsafePointer<rd_kafka_message_t>!
    /// The message refers to its client's topics.
    private var client: KafkaClient?

    /// An object that carries nothing yet.
    init() {}

    /// Takes over a FETCH event; gives false and leaves the event alone where it carries no message.
    func take(_ event: OpaquePointer, of client: KafkaClient) -> Bool {
        guard let message = rd_kafka_event_message_next(event) else { return false }
        self.event = event
        self.message = message
        self.client = client
        return true
    }

    /// Frees the record and leaves the object with its client for the next one: by who has the only reference to it, on
    /// the client's thread. Who does not call this loses nothing but that.
    func recycle() {
        guard let event, let client else { return }
        rd_kafka_event_destroy(event)
        self.event = nil
        message = nil
        self.client = nil
        client.keep(self)
    }

    deinit {
        if let event { rd_kafka_event_destroy(event) }
    }

    var topic: ByteView { ByteView(cString: rd_kafka_topic_name(message.pointee.rkt)) }
    var partition: Int32 { message.pointee.partition }
    var offset: Int64 { message.pointee.offset }
    /// nil: null.
    var key: ByteView? { ByteView(message: message.pointee.key, message.pointee.key_len) }
    /// nil: null, a tombstone.
    var value: ByteView? { ByteView(message: message.pointee.payload, message.pointee.len) }
    /// Milliseconds since 1970-01-01 UTC, given by the producer or the broker; -1: none.
    var timestamp: Int64 { rd_kafka_message_timestamp(message, nil) }
    /// Where the record itself cannot be read.
    var error: KafkaError? {
        message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(code: message.pointee.err.rawValue)
    }

    var headers: KafkaHeaders { KafkaHeaders(message: message) }

    func forEachHeader(_ body: (_ name: ByteView, _ value: ByteView?) -> Void) {
        let headers = headers
        for index in 0..<headers.count {
            let header = headers[index]
            body(header.name, header.value)
        }
    }

    /// The value of the last header of that name, without regard to ASCII case; nil: no such header, or a null value.
    func header(named name: ByteView) -> ByteView? { headers.last(named: name) }
    func header(named name: StaticString) -> ByteView? { headers.last(named: ByteView(name)) }
}
