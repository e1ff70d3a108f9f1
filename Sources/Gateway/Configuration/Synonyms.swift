// What people write who know other programs: not taken, but understood well enough to say what to write.
enum Synonyms {
    /// Words of other programs for ours, in lower case.
    private static let words: [String: String] = [
        // log.level
        "warn": "warning", "err": "error", "fatal": "critical", "panic": "critical", "verbose": "debug", "all": "trace",
        "none": "critical", "off": "critical", "quiet": "critical",
        // log.format
        "plain": "text", "console": "text", "logfmt": "text",
        // models.N.protocol
        "tensorflow": "v1", "tfserving": "v1", "tf": "v1", "kserve-v1": "v1", "kserve": "v2", "triton": "v2",
        "oip": "v2",
        "open-inference": "v2", "mlserver": "v2", "json": "native", "http": "native", "rest": "native", "any": "raw",
        // Others of ours
        "request": "body", "all-or-nothing": "at-least-once", "exactly-once": "at-least-once",
        "durable": "at-least-once",
        "at-most-once": "best-effort", "stdout": "file", "webhook": "http", "https": "http", "drop": "drop-oldest",
        "block": "refuse", "reject": "refuse",
    ]

    /// The one of these words that is meant; nil: none.
    static func word(_ text: String, in candidates: [String]) -> String? {
        if let near = nearest(to: text, in: candidates) { return near }
        // `at_least_once`, `AtLeastOnce`.
        func plain(_ word: String) -> String { word.lowercased().filter { $0.isLetter || $0.isNumber } }
        if let same = candidates.first(where: { plain($0) == plain(text) }) { return same }
        return words[text.lowercased()].flatMap { candidates.contains($0) ? $0 : nil }
    }

    static func boolean(_ text: String) -> String? {
        switch text.lowercased() {
        case "1", "yes", "y", "on", "t", "enabled", "true": "true"
        case "0", "no", "n", "off", "f", "disabled", "false", "none": "false"
        default: nil
        }
    }

    /// Sections and keys that are not there, by their first names, with the rest of a sentence that says what to do.
    private static let missing: [(names: [String], reason: String)] = [
        (
            [
                "server.tls", "server.ssl", "server.https", "server.certFile", "server.keyFile", "server.certificate",
                "tls", "ssl",
            ],
            "is not there yet: the Sidecar speaks HTTP in the clear. Put a proxy or a mesh with TLS before it, and let it listen "
                + "where only that reaches it (server.host)"
        ),
        (
            ["server.auth", "server.token", "server.tokens", "server.apiKey", "server.apiKeys", "server.keys", "auth"],
            "is not there yet: whoever reaches the Sidecar may ask. Put a proxy that knows its clients before it"
        ),
        (["server.cors", "cors"], "is not there: a proxy before the Sidecar can answer preflight requests"),
        (
            ["server.grpc", "providers.grpc", "grpc", "models.N.grpc"],
            "is not there yet: requests come by REST and Kafka, and models are called by HTTP"
        ),
        (
            ["providers.rest", "providers.http", "rest"],
            "is not needed: REST is always there, at server.host and server.port"
        ),
        (
            ["models.N.retries", "models.N.maxAttempts"],
            "is not there: over REST see models.N.retry.attempts, over Kafka providers.kafka.maxAttempts"
        ),
        (["metrics", "server.metrics"], "is not needed: GET /metrics is always there, at server.host and server.port"),
    ]

    /// Why a key is not there; nil: nothing is known of it.
    static func reason(missing path: ConfigurationPath) -> String? {
        missing.first { entry in
            entry.names.contains { path.hasPrefix(ConfigurationPath(stringLiteral: $0).with(index: path.index)) }
        }?.reason
    }
}
