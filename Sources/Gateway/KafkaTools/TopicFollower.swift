/// Reads a whole topic for a command: from its beginning, or what comes from now on. Confined to one thread.
final class TopicFollower {
    private static let patience = 1_000

    private let consumer: KafkaConsumer
    private let topic: String
    private let brokers: String
    private var fromBeginning: Bool
    private var complaint: Complaint
    private let secrets: KafkaSettings
    private(set) var trouble = KafkaTrouble()
    /// Whether the partitions are known and their ends, where those matter.
    private(set) var isReading = false
    private(set) var topicIsMissing = false

    init(
        _ settings: KafkaToolSettings,
        topic: String,
        fromBeginning: Bool,
        command: String
    ) throws(KafkaSettingError) {
        consumer = try KafkaConsumer(settings: settings.consumer(), wake: nil)
        self.topic = topic
        self.brokers = settings.brokers
        self.fromBeginning = fromBeginning
        complaint = Complaint(command: command)
        secrets = settings.secrets
    }

    /// Tries to take up reading, for at most a second or two; says once on standard error why that does not succeed.
    func tryToStart() {
        if isReading { return }
        do {
            if fromBeginning {
                try consumer.assignFromBeginning(topic, timeoutMilliseconds: Self.patience)
            } else {
                try consumer.assignFromEnd(topic, timeoutMilliseconds: Self.patience)
            }
            isReading = true
            topicIsMissing = false
            trouble.end()
            complaint.settle()
        } catch {
            // All that will be in a topic which is not there yet comes from now on.
            topicIsMissing = error.isMissingTopic
            fromBeginning = fromBeginning || topicIsMissing
            trouble.note(error)
            // The client has the cause: what came of the call is a timeout, mostly.
            poll(timeoutMilliseconds: 0) { _ in }
            complain()
        }
    }

    /// Why nothing comes, for people; nil: nothing is known to be wrong.
    var cause: String? { trouble.description(brokers: brokers, topic: topic, hiding: secrets) }

    /// Hands over what has come, and waits for it for a short while.
    func poll(timeoutMilliseconds: Int, _ body: (KafkaMessage) -> Void) {
        _ = consumer.poll(limit: 1_000, timeoutMilliseconds: timeoutMilliseconds) { event in
            switch event {
            case .consumed(let message):
                trouble.end()
                complaint.settle()
                body(message)
            case .error(let error, _):
                trouble.note(error)
                if isReading { complain() }
            default: break
            }
        }
    }

    private func complain() {
        guard let error = trouble.error else { return }
        if error.isMissingTopic {
            complaint.make("there is no topic \(topic) yet; waiting for it")
        } else if let cause {
            complaint.make("\(cause); trying on")
        }
    }
}

@available(*, unavailable)
extension TopicFollower: Sendable {}
