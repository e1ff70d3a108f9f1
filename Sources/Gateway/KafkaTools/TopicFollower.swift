/// Reads a whole topic for a command: from its beginning, or what comes from now on. Confined to one thread.
final class TopicFollower {
    private static let patience = 1_000

    private let consumer: KafkaConsumer
    private let topic: String
    private let brokers: String
    private var fromBeginning: Bool
    private var complaint: Complaint
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
            complaint.settle()
        } catch {
            // All that will be in a topic which is not there yet comes from now on.
            topicIsMissing = error.isMissingTopic
            fromBeginning = fromBeginning || topicIsMissing
            complain(error)
        }
    }

    /// Hands over what has come, and waits for it for a short while.
    func poll(timeoutMilliseconds: Int, _ body: (KafkaMessage) -> Void) {
        _ = consumer.poll(limit: 1_000, timeoutMilliseconds: timeoutMilliseconds) { event in
            switch event {
            case .consumed(let message):
                complaint.settle()
                body(message)
            case .error(let error, let isFatal) where isFatal || error.isUnreachable && isReading: complain(error)
            default: break
            }
        }
    }

    private func complain(_ error: KafkaError) {
        if error.isMissingTopic {
            complaint.make("there is no topic \(topic) yet; waiting for it")
        } else if error.isUnreachable {
            complaint.make("no broker can be reached at \(brokers) (\(error.detail ?? error.reason)); trying on")
        } else {
            complaint.make("\(topic) cannot be read: \(error); trying on")
        }
    }
}

@available(*, unavailable)
extension TopicFollower: Sendable {}
