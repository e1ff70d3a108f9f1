/// A question to one Model Service whether it is ready, asked again and again. Confined to its shard's thread.
protocol HealthProbe: AnyObject {
    /// Hears the outcome.
    var prober: HealthProber? { get set }
    /// The question for people, such as `GET http://127.0.0.1:9000/health`, without anything secret.
    var question: String { get }
    /// Asks once. `HealthProber.ended` follows, from the shard's loop, never from within this function.
    func ask()
    /// Gives up the question that is out: it takes too long.
    func giveUp()
}

/// What a Model Service says of its readiness.
enum HealthOutcome {
    case ready
    /// The service itself says that it is not: the rest of a sentence that starts with the question.
    case refused(String)
    /// Nothing is known: likewise.
    case unknown(String)
}
