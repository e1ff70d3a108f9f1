/// A request over Kafka, and what must come of it.
struct KafkaCase: Sendable {
    /// Also its correlation id.
    var name: String
    var key: String?
    var value: [UInt8]?
    var headers: [KafkaRecord.Header]
    var status = 200
    /// The answer, byte for byte; nil: the native document.
    var body: String?
    var contentType = "application/json"
    /// The request id, where it is known.
    var id: String?
    var replyTopic: String?
    /// Of its dead letter; nil: there is none.
    var cause: String?
    /// How often its model was called.
    var attempts = 1
    var isTruncated = false

    init(_ name: String, key: String? = nil, _ value: [UInt8]? = Array("{}".utf8), _ headers: [String: String] = [:]) {
        self.name = name
        self.key = key
        self.value = value
        self.headers =
            [KafkaRecord.Header(name: "correlation-id", value: Array(name.utf8))]
            + headers.sorted { $0.key < $1.key }.map {
                KafkaRecord.Header(name: $0.key, value: Array($0.value.utf8))
            }
    }

    private func answered(_ body: String? = nil, id: String? = nil, attempts: Int = 1, topic: String? = nil) -> Self {
        var copy = self
        copy.body = body
        copy.id = id
        copy.attempts = attempts
        copy.replyTopic = topic
        return copy
    }

    private func failing(
        _ status: Int,
        _ cause: String,
        attempts: Int = 0,
        body: String? = nil,
        contentType: String = "application/problem+json"
    ) -> Self {
        var copy = self
        copy.status = status
        copy.cause = cause
        copy.attempts = attempts
        copy.body = body
        copy.contentType = contentType
        return copy
    }

    private func with(_ name: String, _ value: [UInt8]?) -> Self {
        var copy = self
        copy.headers.append(KafkaRecord.Header(name: name, value: value))
        return copy
    }

    private var truncated: Self {
        var copy = self
        copy.isTruncated = true
        return copy
    }

    private static let json = Array("{}".utf8)

    static let all: [KafkaCase] = [
        // The model, the face and the id.
        KafkaCase("the first model", key: "k"),
        KafkaCase("named", json, ["ameron-model": "iris", "ameron-version": "1", "X-Request-Id": "mine"])
            .answered(id: "mine"),
        KafkaCase("v1 face", json, ["ameron-model": "v1", "ameron-face": "v1"]).answered(Sample.v1),
        KafkaCase("v2 face", Array(#"{"id":"from-body"}"#.utf8), ["ameron-model": "v2", "ameron-face": "v2"])
            .answered(Sample.v2, id: "from-body"),
        KafkaCase("as MLServer", key: "k", json, ["mlserver-model": "v2", "ce_id": "cloud"])
            .answered(Sample.v2, id: "cloud"),
        KafkaCase("ours before MLServer's", json, ["mlserver-model": "nobody", "ameron-model": "iris"]),
        KafkaCase(
            "forwards",
            json,
            [
                "X-Request-Id": "forwards", "ameron-face": "native", "mlserver-x": "1", "ce_type": "t", "plain": "text",
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "injected": "a\r\nX-Evil: 1", "lines": "a\nb", "a b": "c",
            ]
        )
        .with("binary", [0xFF, 0x00]).with("null", nil).with("", [1]).answered(id: "forwards"),
        KafkaCase("another topic", json, ["ameron-reply-topic": "replies.mine"]).answered(topic: "replies.mine"),
        KafkaCase("the same topic", json, ["ameron-reply-topic": "replies"]).answered(),
        KafkaCase("in parts, and in one piece", key: "k", json, ["ameron-stream": "parts"]).answered(),
        // The Model Service fails.
        KafkaCase("retried", json, ["X-Request-Id": "retried", "X-Fail": "2"]).answered(id: "retried", attempts: 3),
        KafkaCase("exhausted", key: "e", json, ["X-Request-Id": "exhausted", "X-Fail": "99"])
            .failing(
                503,
                "modelError",
                attempts: 3,
                body: #"{"error":"not now"}"#,
                contentType: "application/json"
            ),
        KafkaCase("refused by the model", json, ["X-Fail": "99", "X-Fail-Status": "422"])
            .failing(
                422,
                "modelError",
                attempts: 1,
                body: #"{"error":"not now"}"#,
                contentType: "application/json"
            ),
        // Nothing that a model could answer.
        KafkaCase("unknown model", json, ["ameron-model": "nobody"]).failing(404, "unknownModel"),
        KafkaCase("unknown version", json, ["ameron-model": "iris", "ameron-version": "9"])
            .failing(404, "unknownVersion"),
        KafkaCase("tombstone", key: "gone", nil).failing(400, "emptyRequest"),
        KafkaCase("empty", []).failing(400, "emptyRequest"),
        KafkaCase("too long", [UInt8](repeating: 0xFE, count: 17_000)).failing(413, "bodyTooLarge"),
        KafkaCase("too long for a dead letter", [UInt8](repeating: 0xFE, count: 30_000)).failing(413, "bodyTooLarge")
            .truncated,
        KafkaCase("headers too long", json, ["long": String(repeating: "x", count: 9_000)])
            .failing(431, "headersTooLarge"),
        KafkaCase("not JSON", Array("{\"id".utf8), ["mlserver-model": "v2"]).answered(Sample.v2),
        KafkaCase("a long id", json, ["X-Request-Id": String(repeating: "i", count: 257), "ce_id": "short"])
            .answered(id: "short"),
        KafkaCase("no such face", json, ["ameron-face": "V2"]).failing(400, "badRequest"),
        KafkaCase("no such way to stream", json, ["ameron-stream": "whole"]).failing(400, "badRequest"),
        KafkaCase("a topic that is not allowed", json, ["ameron-reply-topic": "requests"])
            .failing(400, "badReplyTopic"),
        KafkaCase("the dead letters for an answer", json, ["ameron-reply-topic": "dead-letters"])
            .failing(400, "badReplyTopic"),
        KafkaCase("Kafka's own topic for an answer", json, ["ameron-reply-topic": "__consumer_offsets"])
            .failing(400, "badReplyTopic"),
        KafkaCase("an answer that is too large", json, ["ameron-model": "huge"])
            .failing(502, "replyTooLarge", attempts: 1),
    ]
}
