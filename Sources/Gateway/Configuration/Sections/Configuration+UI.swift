extension Configuration {
    /// The page at `/ui`.
    public struct UI: Sendable, Equatable {
        public var enabled = true
        /// Whether captured request bodies are shown on it.
        public var showsRequests = false

        public init() {}
    }
}

extension Configuration.UI {
    static let keys: [ConfigurationKey] = [
        .boolean("ui.enabled", .at(\.ui.enabled), "Whether GET /ui serves the page to look at."),
        .boolean(
            "ui.showsRequests",
            .at(\.ui.showsRequests),
            "Whether the page shows request bodies that reporting.capture has put into the events."
        ),
    ]
}
