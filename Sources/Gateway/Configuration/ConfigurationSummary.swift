extension Configuration {
    /// What the program would do, a line each. Properties and headers are named only: their values may be secrets.
    ///
    /// - Parameter shards: how many there are.
    public func summary(shards: Int) -> [String] {
        var lines = ["listen on \(server.host) port \(server.port) with \(shards) shard\(shards == 1 ? "" : "s")"]
        lines += models.map(\.summary)
        lines += providers.sections.map(\.summary)
        if reporting.reporters.isEmpty { return lines }
        lines.append(reporting.summary)
        return lines + reporting.reporters.map(\.section.summary)
    }
}

extension Configuration.Model {
    fileprivate var summary: String {
        let version = version.map { " version \($0)" } ?? ""
        return
            "model \(name)\(version): \(`protocol`.rawValue) at \(SummaryText.withoutQuery(url)), timeout \(DurationText.describe(timeout))"
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

/// Parts of lines that several have.
enum SummaryText {
    /// Such as ", properties linger.ms sasl.password"; empty where there is none.
    static func names(_ title: String, _ map: [String: String]) -> String {
        map.isEmpty ? "" : ", \(title) \(map.keys.sorted().joined(separator: " "))"
    }

    /// A query may hold a key.
    static func withoutQuery(_ url: String) -> String { url.contains("?") ? "\(url.prefix { $0 != "?" })?…" : url }
}
