/// One producer and its topic. Replaced by another after a fatal error.
final class KafkaOutlet {
    let producer: KafkaProducer
    let topic: KafkaTopic

    init(settings: KafkaSettings, topic name: String, wake: EventFD) throws {
        producer = try KafkaProducer(settings: settings, wake: wake)
        topic = try producer.topic(name)
    }
}

@available(*, unavailable)
extension KafkaOutlet: Sendable {}
