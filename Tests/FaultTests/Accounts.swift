import TestSupport
import Testing

@testable import Gateway

/// What the far end must show, whatever died in between.
enum Accounts {
    /// Waits until each Kafka request is answered and each Prediction that anybody was given has its event; then fails
    /// for each that is not, and tells how many came more than once.
    static func settle(
        _ world: KafkaWorld,
        rest: RESTLoad?,
        kafka: RequestLoad?,
        _ what: String,
        within seconds: Double = 120,
        allowsDeadLetters: Bool = false
    ) {
        let given = Set(rest?.answers.map(\.id) ?? [])
        let requests = Set(kafka?.requests.map(\.id) ?? [])
        let isSettled = eventually(within: seconds) {
            world.replies.counts(of: "correlation-id").count >= requests.count
                && world.events.countsOfRequests().count >= given.count + requests.count
                && requests.isSubset(of: world.replies.counts(of: "correlation-id").keys)
                && given.union(requests).isSubset(of: world.events.countsOfRequests().keys)
        }
        let replies = world.replies.counts(of: "correlation-id")
        let events = world.events.countsOfRequests()
        let unanswered = requests.filter { replies[$0] == nil }
        let unreported = given.union(requests).filter { events[$0] == nil }
        #expect(isSettled)
        #expect(unanswered.isEmpty, "\(unanswered.count) requests without an answer: \(unanswered.sorted().prefix(5))")
        #expect(
            unreported.isEmpty,
            "\(unreported.count) Predictions without an event: \(unreported.sorted().prefix(5))"
        )
        if !allowsDeadLetters { #expect(world.deadLetters.all.map(\.headers) == []) }
        let repeatedReplies = replies.values.reduce(0) { $0 + $1 - 1 }
        let repeatedEvents = events.values.reduce(0) { $0 + $1 - 1 }
        print(
            """
            \(what): \(given.count) answered over REST, \(requests.count) asked over Kafka; lost: \
            \(unanswered.count) answers, \(unreported.count) events; repeated: \(repeatedReplies) answers, \
            \(repeatedEvents) events
            """
        )
    }

    /// Each request below a committed offset has its answer.
    static func expectCommittedAreAnswered(_ world: KafkaWorld, _ kafka: RequestLoad) throws {
        let committed = try world.committed()
        let done = kafka.requests.filter { $0.offset < committed[$0.partition] ?? 0 }.map(\.id)
        let areAnswered = eventually {
            let replies = world.replies.counts(of: "correlation-id")
            return done.allSatisfy { replies[$0] != nil }
        }
        #expect(areAnswered, "a committed request has no answer")
    }

    /// The answers of one key come in the order of its requests; only what has come before may come again.
    static func expectOrderPerKey(_ world: KafkaWorld) {
        var last: [Substring: Int] = [:]
        var seen: Set<String> = []
        for reply in world.replies.all {
            guard let id = reply.headers["correlation-id"], seen.insert(id).inserted else { continue }
            let parts = id.split(separator: "-")
            guard let number = Int(parts[2]) else { continue }
            #expect(number > last[parts[1]] ?? -1, "the answer \(id) comes after number \(last[parts[1]] ?? -1)")
            last[parts[1]] = number
        }
    }
}
