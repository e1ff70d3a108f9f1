extension Configuration {
    /// Where events are sent on to: the list of the kinds of Reporter that there are. What each is, its own type says.
    public enum Reporter: Sendable, Equatable {
        case file(File)
        case kafka(Kafka)
        case http(HTTP)

        /// Where refused events go unless something else is said.
        static let failurePath = "failed-predictions.jsonl"

        /// What is said of it, whatever its kind.
        var section: any ReporterSection {
            get {
                switch self {
                case .file(let file): file
                case .kafka(let kafka): kafka
                case .http(let http): http
                }
            }
            set { self = newValue.reporter }
        }

        var type: ReporterType {
            switch self {
            case .file: .file
            case .kafka: .kafka
            case .http: .http
            }
        }
    }
}

/// The words of `reporting.reporters.N.type`, in the order of the table of keys.
enum ReporterType: String, CaseIterable, Sendable {
    case file, kafka, http

    var section: any ReporterSection.Type {
        switch self {
        case .file: Configuration.Reporter.File.self
        case .kafka: Configuration.Reporter.Kafka.self
        case .http: Configuration.Reporter.HTTP.self
        }
    }
}
