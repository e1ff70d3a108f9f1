/// One producer and its topic. Replaced by another after a fatal error.
final class KafkaOutlet {
    let producer: KafkaProducer
    let topic: KafkaTopic

    init(settings: KafkaSettings, topic name: String, wake: EventFD) throws {
        producer = try KafkaProducer(settings: settings, wake: wake)
        topic = try producer.topic(name)
    }

    /// Lets go of an outlet on a thread of its own: librdkafka waits for its threads, and those may wait for a name server.
    static func discard(_ outlet: inout KafkaOutlet?) {
        guard outlet != nil else { return }
        let last = LastReference(&outlet)
        // Without a thread it is discarded here.
        try? ThreadHandle(name: "kafka-end") { last.drop() }.detach()
    }

    private final class LastReference: @unchecked Sendable {
        // Sendable: after `init` one thread alone touches it.
        private var outlet: KafkaOutlet?

        /// Takes the reference away, so that no other thread holds one.
        init(_ outlet: inout KafkaOutlet?) { swap(&self.outlet, &outlet) }

        func drop() { outlet = nil }
    }
}

@available(*, unavailable)
extension KafkaOutlet: Sendable {}
