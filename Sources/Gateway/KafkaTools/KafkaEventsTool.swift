/// `ameron-sidecar events`: shows prediction events as they come.
public enum KafkaEventsTool {
    public struct Options: Sendable {
        public var kafka = KafkaToolSettings()
        public var topic = "predictions"
        public var asJSON = false
        /// Only the events of this model.
        public var model: String?
        public var fromBeginning = false
        /// Ends after so many events; nil: never.
        public var count: Int?

        public init() {}
    }

    /// Follows the topic until a signal, until `count` events, or until nobody reads standard output; returns the exit
    /// code. The main thread.
    public static func run(_ options: Options) -> Int32 {
        Signals.prepare()
        var code: Int32 = 0
        do {
            try follow(options)
        } catch {
            StandardError.print("ameron-sidecar events: \(error)")
            code = 1
        }
        return KafkaClientEnd.endProcess(code)
    }

    private static func follow(_ options: Options) throws(KafkaSettingError) {
        let follower = try TopicFollower(
            options.kafka,
            topic: options.topic,
            fromBeginning: options.fromBeginning,
            command: "events"
        )
        let formatter = EventFormatter(
            asJSON: options.asJSON,
            model: options.model,
            hasColours: StandardOutput.isTerminal
        )
        let headers = KafkaHeaderList()
        let line = ByteBuffer()
        var left = options.count ?? .max
        while left > 0 {
            if let signal = Signals.wait(timeoutMilliseconds: 0), signal.endsProcess { return }
            follower.tryToStart()
            follower.poll(timeoutMilliseconds: 200) { message in
                if left == 0 { return }
                headers.removeAll()
                message.forEachHeader { headers.append(name: $0, value: $1) }
                line.removeAll()
                let isWanted = formatter.append(
                    headers: headers,
                    value: message.value,
                    timestamp: message.timestamp,
                    to: line
                )
                if !isWanted { return }
                left = StandardOutput.write(line.view) ? left - 1 : 0
            }
        }
    }
}
