private import CKafka

/// A topic that a client knows by a handle, so that its name is not looked up for each message. Keeps its client alive.
final class KafkaTopic {
    let name: String
    /// The rd_kafka_topic_t.
    let pointer: OpaquePointer
    private let client: KafkaClient

    init(_ name: String, client: KafkaClient) throws(KafkaError) {
        guard let pointer = rd_kafka_topic_new(client.pointer, name, nil) else {
            throw KafkaError(code: rd_kafka_last_error().rawValue)
        }
        self.name = name
        self.pointer = pointer
        self.client = client
    }

    deinit { rd_kafka_topic_destroy(pointer) }
}

@available(*, unavailable)
extension KafkaTopic: Sendable {}
