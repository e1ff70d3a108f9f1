import Synchronization

/// Whether the Sidecar and its Model Services are fit to serve. Shared by all shards and the main thread.
final class Readiness: Sendable {
    private let draining = Atomic<Bool>(false)
    private let models: [ModelState]

    private final class ModelState: Sendable {
        let isReady = Atomic<Bool>(false)
    }

    init(modelCount: Int) { models = (0..<modelCount).map { _ in ModelState() } }

    var isDraining: Bool { draining.load(ordering: .relaxed) }
    func startDraining() { draining.store(true, ordering: .relaxed) }

    func isReady(model: Int) -> Bool { models[model].isReady.load(ordering: .relaxed) }

    /// The Model Service has answered a call or its health check, or has failed its health checks.
    func set(model: Int, ready: Bool) {
        // Read first: calls that go well must not write to a line that all shards read.
        guard isReady(model: model) != ready else { return }
        models[model].isReady.store(ready, ordering: .relaxed)
    }

    /// Every model is ready and no end is near.
    var isReady: Bool { !isDraining && models.allSatisfy { $0.isReady.load(ordering: .relaxed) } }
}
