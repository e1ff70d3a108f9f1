/// How a line of the log looks.
enum LogStyle: Equatable {
    /// For people: `2026-11-28T07:50:26.123456Z notice ameron-sidecar: text`.
    case text(isColoured: Bool)
    /// For collectors: an object per line, with `time`, `level`, `logger` and `message`.
    case json

    /// What a format comes to where standard error leads. NO_COLOR takes the colours away (https://no-color.org), and so does
    /// a terminal that has none.
    init(_ format: Configuration.Log.Format, isTerminal: Bool, environment: [String: String]) {
        let hasColours = isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        switch format {
        case .json: self = .json
        case .text: self = .text(isColoured: hasColours)
        case .auto: self = isTerminal ? .text(isColoured: hasColours) : .json
        }
    }
}
