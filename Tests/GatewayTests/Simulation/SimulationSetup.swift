import TestSupport

@testable import Gateway

/// What a run is like, all of it chosen by its seed: the limits, the load, and how much goes wrong.
struct SimulationSetup {
    enum Delivery { case none, bestEffort, atLeastOnce }
    enum Ending: CaseIterable {
        /// All is answered, then the shard stops.
        case late
        /// It drains at some time, and has all the time it needs.
        case drained
        /// It drains, and is stopped soon after.
        case stopped
        /// It is stopped without having drained.
        case killed
    }

    struct Model {
        let modelProtocol: ModelProtocol
        let maxConnections: Int
        /// Nanoseconds.
        let timeout: Int64
        let latency: Int64
        /// Of answers that come in parts, nanoseconds: how long the next one may take, and how long all of them.
        let partTimeout: Int64
        let maxStreamTime: Int64
        let maxStreamBytes: Int
        /// Of one request over REST.
        let maxCalls: Int
        let isRepeatable: Bool
    }

    static let microsecond: Int64 = 1_000
    static let millisecond: Int64 = 1_000_000

    let delivery: Delivery
    let capture: EventPolicy.Capture
    let ending: Ending
    let models: [Model]
    let requestCount: Int
    /// How much time lies between two requests on average, in nanoseconds.
    let pace: Int64
    let maxInFlight: Int
    let maxKafkaInFlight: Int
    let maxAttempts: Int
    let bodyMemory: Int
    /// Whether the spool is the real one, which takes files.
    let hasFiles: Bool
    /// What may wait for a Reporter.
    let laneBytes: Int

    // Of a hundred requests or calls.
    let kafkaShare: Int
    let clientsThatLeave: Int
    let faults: Int
    let longAnswers: Int
    let longRequests: Int
    let streams: Int
    /// How often Reporters fail, of a hundred that they read.
    let reporterFaults: Int

    init(_ random: inout SeededGenerator) {
        // What chance brings together too seldom: long answers, room for them, and Reporters that fail meanwhile.
        let isLong = random.chance(12)
        let deliveries: [Delivery] = [.atLeastOnce, .atLeastOnce, .atLeastOnce, .bestEffort, .bestEffort, .none]
        delivery = isLong ? .atLeastOnce : random.pick(deliveries)
        capture = random.pick([.none, .none, .input, .body])
        ending = random.pick(Ending.allCases)
        var models: [Model] = []
        for _ in 0..<3 {
            models.append(
                Model(
                    modelProtocol: random.pick([.v1, .v2, .native, .raw]),
                    maxConnections: random.pick([1, 2, 4, 16]),
                    timeout: random.pick([20, 200, 2_000]) * Self.millisecond,
                    latency: random.pick([20, 500, 5_000, 50_000]) * Self.microsecond,
                    partTimeout: random.pick([20, 200, 2_000]) * Self.millisecond,
                    maxStreamTime: random.pick([50, 500, 5_000]) * Self.millisecond,
                    maxStreamBytes: random.pick([16 << 10, 64 << 10, 256 << 10]),
                    maxCalls: random.pick([1, 1, 2, 5]),
                    isRepeatable: random.chance(50)
                )
            )
        }
        self.models = models
        requestCount = isLong ? 60 : random.chance(1) ? 1_000 : random.pick([60, 120, 240])
        pace = random.pick([1, 50, 500, 5_000]) * Self.microsecond
        maxInFlight = random.pick([1, 4, 16, 64, 1_000])
        maxKafkaInFlight = random.pick([1, 8, 64])
        maxAttempts = random.pick([1, 2, 5])
        bodyMemory = isLong ? 64 << 20 : random.pick([600 << 10, 4 << 20, 64 << 20])
        hasFiles = random.chance(10) && delivery == .atLeastOnce
        let least = hasFiles ? 128 << 10 : 16 << 10
        laneBytes = isLong ? 16 << 20 : max(least, random.pick([16 << 10, 128 << 10, 1 << 20, 16 << 20]))
        kafkaShare = random.pick([0, 0, 30, 60, 100])
        clientsThatLeave = random.pick([0, 10, 40])
        faults = random.pick([0, 10, 50])
        longAnswers = isLong ? 10 : random.pick([0, 1, 3])
        longRequests = random.pick([0, 0, 5])
        streams = random.pick([0, 0, 20, 80])
        reporterFaults = isLong ? 60 : random.pick([0, 20, 60])
    }

    /// A request of such a run.
    func makeRequest(_ number: Int, _ random: inout SeededGenerator) -> SimulatedRequest {
        let isKafka = random.chance(kafkaShare)
        let isQuestion = !isKafka && random.chance(5)
        let isLeaving = !isKafka && random.chance(clientsThatLeave)
        let patience = random.pick([10, 500, 5_000, 300_000]) * Self.microsecond
        return SimulatedRequest(
            number: number,
            provider: isKafka ? .kafka : .rest,
            face: random.pick([.native, .v1, .v2]),
            operation: isQuestion ? .modelMetadata : .predict,
            model: random.chance(2) ? nil : random.below(models.count),
            bodyBytes: random.chance(longRequests) ? 90_000 + random.below(500_000) : 10 + random.below(200),
            hasId: random.chance(90),
            leavesAfter: isLeaving ? Int64(random.below(Int(patience))) : nil,
            readsFor: random.chance(80) ? 0 : Int64(random.below(Int(5 * Self.millisecond)))
        )
    }
}
