extension Configuration.Reporting {
    /// What each Reporter is called: in metrics, in the log, and in the spool. By type, and by place where it is not the
    /// first, unless it has a name.
    var reporterNames: [String] {
        reporters.enumerated().map { index, reporter in
            let type = reporter.type.rawValue
            return reporter.section.common.name ?? (index == 0 ? type : "\(type)-\(index + 1)")
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
