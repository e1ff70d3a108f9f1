extension Configuration.Reporting {
    /// What each Reporter is called: in metrics, in the log, and in the spool. By type, and by place where it is not the
    /// first, unless it has a name.
    var reporterNames: [String] {
        reporters.enumerated().map { index, reporter in
            reporter.name ?? (index == 0 ? reporter.type.rawValue : "\(reporter.type.rawValue)-\(index + 1)")
        }
    }
}

extension Configuration.Reporter {
    var type: ReporterType {
        switch self {
        case .file: .file
        case .kafka: .kafka
        case .http: .http
        }
    }

    var name: String? {
        switch self {
        case .file(let file): file.name
        case .kafka(let kafka): kafka.name
        case .http(let http): http.name
        }
    }

    var destination: ReporterDestination {
        switch self {
        case .file(let file): ReporterDestination(type: "file", place: ConfigurationSettings.normalized(file.path))
        case .kafka(let kafka):
            ReporterDestination(
                type: "kafka",
                place: kafka.topic,
                brokers: KafkaText.list(kafka.brokers).map(String.init).sorted()
            )
        // The query may hold a key, and changes with it.
        case .http(let http): ReporterDestination(type: "http", place: String(http.url.prefix { $0 != "?" }))
        }
    }
}

/// Where a Reporter leads, as far as that tells one destination from another.
struct ReporterDestination: Equatable, Sendable, CustomStringConvertible {
    var type: String
    /// The file's path as it is written, the topic, or the URL without its query.
    var place: String
    /// Of Kafka, sorted.
    var brokers: [String] = []

    /// Whether events meant for one may go to the other. Brokers come and go: those of one cluster have some in common.
    func leads(whereDoes other: Self) -> Bool {
        type == other.type && place == other.place
            && (brokers == other.brokers || brokers.contains(where: other.brokers.contains))
    }

    var description: String {
        brokers.isEmpty ? "\(type) \(place)" : "\(type) \(place) at \(brokers.joined(separator: ","))"
    }
}
