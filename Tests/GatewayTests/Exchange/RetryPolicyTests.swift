import TestSupport
import Testing

@testable import Gateway

/// When a call over REST is made again.
@Suite struct RetryPolicyTests {
    private let rig = FlowRig()

    private func policy(
        attempts: Int = 3,
        on causes: RetryPolicy.Causes = [.connect, .reset, .timeout, .serverError],
        budget: Int = 100,
        isRepeatable: Bool = true
    ) -> RetryPolicy {
        RetryPolicy(
            RetryPolicy.Options(attempts: attempts, causes: causes, budget: budget, isRepeatable: isRepeatable),
            random: { .max }
        )
    }

    private func decide(
        _ policy: RetryPolicy,
        _ cause: ExchangeFailure.Cause,
        status: Int = 0,
        tries: Int = 1
    ) -> PolicyDecision {
        let exchange = rig.take(1)
        defer { rig.flow.end(exchange) }
        exchange.tries = tries
        if status > 0 { exchange.attempt.answer = rig.makeAnswer(bytes: [], status: status) }
        defer { exchange.attempt.answer = nil }
        return policy.decide(exchange, after: ExchangeFailure(cause: cause, message: "it fails"))
    }

    private static let causes: [(ExchangeFailure.Cause, Int, RetryPolicy.Causes?)] = [
        (.refused, 0, .connect), (.unreachable, 0, .connect), (.dns, 0, .connect), (.reset, 0, .reset),
        (.timeout, 0, .timeout), (.modelError, 500, .serverError), (.modelError, 503, .serverError),
        (.modelError, 501, nil), (.modelError, 505, nil), (.modelError, 429, nil), (.modelError, 400, nil),
        (.tls, 0, nil), (.malformed, 0, nil), (.tooLarge, 0, nil), (.notRecorded, 0, nil), (.draining, 0, nil),
        (.overloaded, 0, nil), (.clientClosed, 0, nil),
    ]

    @Test(arguments: causes)
    func `each cause is one of four or none`(cause: ExchangeFailure.Cause, status: Int, kind: RetryPolicy.Causes?) {
        for asked in [RetryPolicy.Causes.connect, .reset, .timeout, .serverError] {
            let isAgain = decide(policy(on: asked), cause, status: status) != .over
            #expect(isAgain == (asked == kind))
            // What may have been done is done twice only where that does no harm.
            let isStrict = decide(policy(on: asked, isRepeatable: false), cause, status: status) != .over
            #expect(isStrict == (asked == kind && kind == .connect))
        }
    }

    @Test(arguments: [1, 2, 5]) func `there are so many calls`(attempts: Int) {
        for tries in 0..<7 {
            let isAgain = decide(policy(attempts: attempts), .refused, tries: tries) != .over
            // 0: it could not begin.
            #expect(isAgain == (tries > 0 && tries < attempts))
        }
    }

    @Test func `the wait grows, and has an end`() {
        let waits = (1..<9).map { tries -> Int64 in
            guard case .again(let wait) = decide(policy(attempts: 10), .refused, tries: tries) else { return -1 }
            return wait
        }
        for (wait, most) in zip(waits, [25, 50, 100, 200, 400, 800, 1_000, 1_000]) {
            #expect(wait >= Int64(most) * 990_000 && wait <= Int64(most) * 1_000_000)
        }
    }

    /// Where everything fails, repetitions are no more than a share of the load.
    @Test(arguments: [1, 20, 100]) func `the budget bounds repetitions`(budget: Int) {
        let policy = policy(budget: budget)
        var again = 0
        for _ in 0..<10_000 {
            policy.began()
            if decide(policy, .refused) != .over { again += 1 }
        }
        #expect(again >= 100 * budget && again <= 100 * budget + 10)
    }
}
