/// One request on its way, and the wait for its reply.
struct KafkaQuestion {
    private let options: KafkaAskTool.Options
    private let body: [UInt8]
    /// Goes out with the request and comes back with the reply.
    private let id: [UInt8]
    private let follower: TopicFollower
    private let producer: KafkaProducer
    private let deadline: Int64

    init(_ options: KafkaAskTool.Options, body: [UInt8]) throws(KafkaSettingError) {
        self.options = options
        self.body = body
        let text = ByteBuffer()
        UUIDv7Generator().appendNext(at: Clock.wall(), to: text)
        id = withExtendedLifetime(text) { text.view.array }
        let (seconds, attoseconds) = options.timeout.components
        let milliseconds =
            Int(clamping: seconds.multipliedReportingOverflow(by: 1_000).partialValue)
            + Int(attoseconds / 1_000_000_000_000_000)
        deadline = Clock.monotonic() + Int64(milliseconds) * 1_000_000
        follower = try TopicFollower(options.kafka, topic: options.replyTopic, fromBeginning: false, command: "ask")
        producer = try KafkaProducer(
            settings: options.kafka.producer(timeoutMilliseconds: milliseconds),
            wake: nil
        )
    }

    private var isLate: Bool { Clock.monotonic() >= deadline }

    /// The exit code of the command.
    func ask() throws -> Int32 {
        // The ends of the reply topic must be known before the reply can come.
        while !follower.isReading && !follower.topicIsMissing {
            if let code = interrupted { return code }
            if follower.trouble.isLasting { return tellCause() }
            if isLate { return tellTimeout(delivered: nil) }
            follower.tryToStart()
            if !follower.isReading { follower.poll(timeoutMilliseconds: 50) { _ in } }
        }
        try produce()

        var delivered: String?
        var trouble = KafkaTrouble()
        var hasFailed = false
        // One broker of several may be wrong while another takes the request.
        let patience = Clock.monotonic() + 2_000_000_000
        var printer = ReplyPrinter()
        var code: Int32?
        while code == nil {
            if let code = interrupted { return code }
            _ = producer.poll { event in
                switch event {
                case .error(let error, _): trouble.note(error)
                case .delivered(let delivery):
                    if let error = delivery.error {
                        trouble.note(error)
                        hasFailed = true
                    } else {
                        delivered = "partition \(delivery.partition), offset \(delivery.offset)"
                    }
                default: break
                }
            }
            let isHopeless = delivered == nil && trouble.isLasting && Clock.monotonic() > patience
            if hasFailed || isHopeless { return tellCause(trouble) }
            if isLate { return tellTimeout(delivered: delivered, trouble) }
            follower.tryToStart()
            follower.poll(timeoutMilliseconds: 50) { message in
                if code == nil, isReply(message) { code = printer.show(message) }
            }
        }
        // The reply may be here before the broker's word that it has the request.
        producer.close(timeoutMilliseconds: 1_000)
        return code ?? 1
    }

    private var interrupted: Int32? {
        guard let signal = Signals.wait(timeoutMilliseconds: 0), signal.endsProcess else { return nil }
        // As a shell tells of a signal.
        return signal == .interrupt ? 130 : 143
    }

    private func produce() throws(KafkaError) {
        let headers = makeHeaders()
        let topic = try producer.topic(options.topic)
        try body.withByteView { (view) throws(KafkaError) in
            try id.withByteView { (id) throws(KafkaError) in
                try producer.produce(to: topic, key: id, value: view, headers: headers, ticket: 0)
            }
        }
    }

    /// The headers of the request. Those that the user gives come last, as the last of a name counts.
    func makeHeaders() -> KafkaHeaderList {
        let headers = KafkaHeaderList()
        func append(_ name: String, _ value: String?) {
            guard let value else { return }
            Array(name.utf8).withByteView { name in
                Array(value.utf8).withByteView { headers.append(name: name, value: $0) }
            }
        }
        id.withByteView { headers.append("correlation-id", $0) }
        append("content-type", "application/json")
        append("ameron-model", options.model)
        append("ameron-version", options.version)
        append("ameron-face", options.face)
        append("ameron-stream", options.inParts ? "parts" : nil)
        // The topic that the Sidecar replies on without being told is not known here; most have the usual one.
        let usual = KafkaAskTool.Options().replyTopic
        append("ameron-reply-topic", options.replyTopic == usual ? nil : options.replyTopic)
        for (name, value) in options.headers { append(name, value) }
        return headers
    }

    private func isReply(_ message: KafkaMessage) -> Bool {
        guard let other = message.header(named: "correlation-id") else { return false }
        return id.withByteView { $0 == other }
    }

    /// Nothing of ours went out, and nothing will.
    private func tellCause(_ trouble: KafkaTrouble? = nil) -> Int32 {
        let cause = trouble.map(describe) ?? follower.cause
        StandardError.print("ameron-sidecar ask: \(cause ?? "the brokers refuse the request")")
        return 1
    }

    private func describe(_ trouble: KafkaTrouble) -> String? {
        trouble.description(brokers: options.kafka.brokers, topic: options.topic, hiding: options.kafka.secrets)
    }

    private func tellTimeout(delivered: String?, _ trouble: KafkaTrouble = KafkaTrouble()) -> Int32 {
        let within = DurationText.describe(options.timeout)
        let asked = String(decoding: id, as: UTF8.self)
        let why =
            if let delivered {
                """
                no reply on \(options.replyTopic) within \(within); the request \(asked) is in \(options.topic), \(delivered).
                Does a Sidecar read that topic (providers.kafka.requestTopic), and does it reply on this one?
                """
            } else {
                "the request was not delivered within \(within): "
                    + (describe(trouble) ?? follower.cause ?? "is there a broker at \(options.kafka.brokers)?")
            }
        StandardError.print("ameron-sidecar ask: \(why)")
        return 2
    }
}
