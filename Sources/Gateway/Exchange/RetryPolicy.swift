/// A call that failed is made again, so many times, where that does no harm (`models.N.retry`).
///
/// A budget keeps repetitions from being most of the load where everything fails: each prediction earns a part of one.
final class RetryPolicy: Policy {
    struct Causes: OptionSet {
        let rawValue: UInt8

        /// No connection: the request was not sent.
        static let connect = Causes(rawValue: 1)
        /// The connection broke.
        static let reset = Causes(rawValue: 2)
        static let timeout = Causes(rawValue: 4)
        /// The Model Service answered with a status of 500 or more, but 501 and 505.
        static let serverError = Causes(rawValue: 8)

        /// After any other failure the request may have been done.
        static let harmless = connect
    }

    struct Options {
        /// All calls of a request, the first one included.
        var attempts: Int
        var causes: Causes
        /// Repetitions of a hundred predictions.
        var budget: Int
        /// Whether the Model Service does not mind to do a request twice.
        var isRepeatable: Bool
        var backoff = RetryBackoff(initial: 25_000_000, maximum: 1_000_000_000)
    }

    /// So many repetitions may be made at once after a quiet time.
    private static let burst = 10

    private let options: Options
    private let random: () -> UInt64
    /// Hundredths of a repetition.
    private var earned = RetryPolicy.burst * 100

    /// - Parameter random: any 64 random bits.
    init(_ options: Options, random: @escaping () -> UInt64) {
        self.options = options
        self.random = random
    }

    /// A prediction's first call begins.
    func began() { earned = min(earned + options.budget, Self.burst * 100) }

    func decide(_ exchange: Exchange, after failure: ExchangeFailure) -> PolicyDecision {
        guard exchange.tries > 0, exchange.tries < options.attempts, earned >= 100,
            let cause = Causes(failure.cause, status: exchange.attempt.answer?.status ?? 0),
            options.causes.contains(cause), options.isRepeatable || Causes.harmless.contains(cause)
        else { return .over }
        earned -= 100
        return .again(after: options.backoff.delay(attempt: exchange.tries - 1, random: random()))
    }
}

@available(*, unavailable)
extension RetryPolicy: Sendable {}

extension RetryPolicy.Causes {
    /// - Parameter status: what the Model Service answered; 0: it did not.
    init?(_ cause: ExchangeFailure.Cause, status: Int) {
        switch cause {
        case .refused, .unreachable, .dns: self = .connect
        case .reset: self = .reset
        case .timeout: self = .timeout
        case .modelError where status >= 500 && status != 501 && status != 505: self = .serverError
        default: return nil
        }
    }
}
