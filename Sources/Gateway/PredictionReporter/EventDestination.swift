import Logging

/// A place to which a Reporter takes its events. Confined to the Reporter's thread, which does what `run` says.
protocol EventDestination: AnyObject, SendableMetatype {
    /// What the configuration says of it.
    associatedtype Settings: Sendable
    /// What must be open before the thread starts.
    associatedtype Opened

    /// What a Reporter is called that has no name.
    static var word: String { get }
    /// What to log where it lets the thread not end in time.
    static func hang(_ settings: Settings) -> String
    /// Opens what can be wrong at the start. On the main thread.
    static func open(_ settings: Settings, reporter: String, feed: any EventFeed) throws -> sending Opened

    init(_ settings: Settings, _ opened: Opened, _ context: ReporterContext)

    /// Opens its files anew (SIGHUP).
    func reopen()
    /// Whether nothing more gets through by then, on `Clock.monotonic`.
    func isHopeless(by deadline: Int64) -> Bool
    /// Does what can be done now: hears what became of events, acknowledges them, takes on others.
    func advance()
    /// After `advance`: nothing is under way, and nothing waits.
    var isIdle: Bool { get }
    /// Waits until there is something to do, or until the deadline. An error ends the Reporter.
    func rest(until deadline: Int64?) throws(SystemError)
    /// The time is over: gives up what is under way. What is not to be found again counts as dropped.
    func end()
    /// Closes what is open; the source is closed by then.
    func shutDown()
}

extension EventDestination {
    func isHopeless(by deadline: Int64) -> Bool { Clock.monotonic() > deadline }

    /// What a Reporter's thread does, from its start until it has been stopped and every event is accounted for.
    func run(_ context: ReporterContext) {
        while true {
            if context.wantsReopen { reopen() }
            let deadline = context.stopDeadline
            if let deadline, isHopeless(by: deadline) { break }
            advance()
            if deadline != nil && isIdle { break }
            do {
                try rest(until: deadline)
            } catch {
                context.log(.critical, "Reporter \(context.name): \(error)")
                break
            }
        }
        end()
        context.source.close()
        shutDown()
    }
}
