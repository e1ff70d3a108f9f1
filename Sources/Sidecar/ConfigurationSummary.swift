import Gateway

extension Configuration {
    /// What the program would do, a line each. Properties and headers are named only: their values may be secrets.
    var summary: [String] {
        var lines = ["listen on \(server.host) port \(server.port)"]
        for model in models {
            let version = model.version.map { " version \($0)" } ?? ""
            lines.append("model \(model.name)\(version): \(model.protocol.rawValue) at \(model.url)")
        }
        if let kafka = providers.kafka { lines.append(kafka.summary) }
        if reporting.reporters.isEmpty {
            lines.append("no reporters: predictions are not reported")
        } else {
            lines.append(reporting.summary)
            lines += reporting.reporters.map(\.summary)
        }
        return lines
    }
}

extension Configuration.Reporting {
    fileprivate var summary: String {
        switch delivery {
        case .bestEffort: "delivery best-effort: up to \(SizeText.describe(maxQueueBytes)) wait per reporter"
        case .atLeastOnce: "delivery at-least-once: \(spool.summary)"
        }
    }
}

extension Configuration.Spool {
    fileprivate var summary: String {
        let every = fsync == .interval ? " of \(DurationText.describe(fsyncInterval))" : ""
        return "spool \(path) of up to \(SizeText.describe(maxBytes)), fsync \(fsync.rawValue)\(every), "
            + "\(whenFull.rawValue) when full"
    }
}

extension Configuration.Reporter {
    fileprivate var summary: String {
        switch self {
        case .file(let file): "reporter file: \(file.path)"
        case .kafka(let kafka):
            "reporter kafka: topic \(kafka.topic) at \(kafka.brokers), key \(kafka.key.rawValue), "
                + "failures to \(kafka.failurePath)\(names("properties", kafka.properties))"
        case .http(let http):
            "reporter http: \(http.mode.rawValue) to \(http.url), failures to \(http.failurePath)"
                + names("headers", http.headers)
        }
    }
}

extension Configuration.Providers.Kafka {
    fileprivate var summary: String {
        "provider kafka: topic \(requestTopic) at \(brokers), group \(group), \(face.rawValue) replies to \(replyTopic), "
            + "dead letters to \(deadLetterTopic)\(model.map { ", model \($0)" } ?? "")\(names("properties", properties))"
    }
}

/// Such as ", properties linger.ms sasl.password"; empty where there is none.
private func names(_ title: String, _ map: [String: String]) -> String {
    map.isEmpty ? "" : ", \(title) \(map.keys.sorted().joined(separator: " "))"
}
