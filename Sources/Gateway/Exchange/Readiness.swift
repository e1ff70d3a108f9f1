import Synchronization

/// Whether the Sidecar and its Model Services are fit to serve. Shared by all shards and the main thread.
final class Readiness: Sendable {
    /// How a Model Service stands.
    struct Standing: Sendable, Equatable {
        var isReady: Bool
        /// Nanoseconds since 1970-01-01 UTC: from when on.
        var since: Int64
        /// Why it is not ready; nil: it is.
        var reason: String?
    }

    private let draining = Atomic<Bool>(false)
    private let models: [ModelState]

    private final class ModelState: Sendable {
        /// The standing's own, for those who only ask for it.
        let isReady = Atomic<Bool>(false)
        /// Whether a Prediction of the model would tell something new.
        let asksCalls = Atomic<Bool>(true)
        let standing = LockedValue(Standing(isReady: false, since: Clock.wall(), reason: "it was not asked yet"))
    }

    init(modelCount: Int) { models = (0..<modelCount).map { _ in ModelState() } }

    var isDraining: Bool { draining.load(ordering: .relaxed) }
    func startDraining() { draining.store(true, ordering: .relaxed) }

    func isReady(model: Int) -> Bool { models[model].isReady.load(ordering: .relaxed) }

    /// Every model is ready and no end is near.
    var isReady: Bool { !isDraining && models.allSatisfy { $0.isReady.load(ordering: .relaxed) } }

    func standing(model: Int) -> Standing { models[model].standing.withLock { $0 } }

    /// The Model Service has given a Prediction: where that is news, it is ready.
    func gavePrediction(model: Int) {
        // Read only, mostly: calls that go well must not write to a line that all shards read.
        guard models[model].asksCalls.load(ordering: .relaxed) else { return }
        set(model: model, ready: true)
        models[model].asksCalls.store(false, ordering: .relaxed)
    }

    // MARK: What looks after the models' health; one thread

    /// Whether the next Prediction of the model is to make it ready, for want of an answer from the model itself.
    func askCalls(model: Int, _ asks: Bool) { models[model].asksCalls.store(asks, ordering: .relaxed) }

    /// Whether none has come since calls were asked.
    func isAskingCalls(model: Int) -> Bool { models[model].asksCalls.load(ordering: .relaxed) }

    /// - Parameter reason: why it is not ready.
    func set(model: Int, ready: Bool, reason: String? = nil) {
        models[model].standing.withLock {
            if $0.isReady != ready { ($0.isReady, $0.since) = (ready, Clock.wall()) }
            $0.reason = ready ? nil : reason
        }
        models[model].isReady.store(ready, ordering: .relaxed)
    }
}
