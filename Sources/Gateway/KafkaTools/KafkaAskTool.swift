/// `ameron-sidecar ask`: one request over Kafka, and its reply.
public enum KafkaAskTool {
    public struct Options: Sendable {
        public var kafka = KafkaToolSettings()
        public var topic = "prediction-requests"
        public var replyTopic = "prediction-replies"
        public var model: String?
        public var version: String?
        public var face: String?
        /// Whether an answer that comes in parts is asked for in parts, which are printed as they come.
        public var inParts = false
        public var timeout = Duration.seconds(30)
        public var headers: [(name: String, value: String)] = []
        /// The body; `-` is standard input.
        public var body = ""

        public init() {}
    }

    /// How large a body from standard input may be.
    private static let bodyLimit = 64 << 20

    /// Asks, prints the body of the answer on standard output, and returns the exit code: 0, 1 where the answer is a
    /// failure or none can be had, 2 where none came in time. The main thread.
    public static func run(_ options: Options) -> Int32 {
        Signals.prepare()
        return KafkaClientEnd.endProcess(ask(options))
    }

    private static func ask(_ options: Options) -> Int32 {
        do {
            let body =
                options.body == "-"
                ? try FileReader.readStandardInput(limit: bodyLimit) : Array(options.body.utf8)
            return try KafkaQuestion(options, body: body).ask()
        } catch {
            let reason = (error as? FileReader.Failure).map { "standard input: \($0.reason)" } ?? "\(error)"
            StandardError.print("ameron-sidecar ask: \(reason)")
            return 1
        }
    }
}
