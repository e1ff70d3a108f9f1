/// The models that there are, and how they stand: for what the Sidecar itself says of them. Confined to its shard.
final class ModelCatalog {
    /// In the order of the configuration.
    let routes: [ModelRoute]
    /// One of each name, in the order of the configuration.
    let names: [ModelRoute]
    let readiness: Readiness

    init(_ routes: [ModelRoute], _ readiness: Readiness) {
        self.routes = routes
        var seen: Set<String> = []
        names = routes.filter { seen.insert($0.name.view.string).inserted }
        self.readiness = readiness
    }

    /// Appends `{"ready":...}`, and returns whether all is ready.
    func writeReadiness(to body: ByteBuffer) -> Bool {
        let isReady = readiness.isReady
        body.append(isReady ? "{\"ready\":true}" : "{\"ready\":false}")
        return isReady
    }

    /// Appends `{"name":...,"ready":...}`, and returns whether the model is ready.
    func writeReadiness(of route: ModelRoute?, to body: ByteBuffer) -> Bool {
        let isReady = route.map { readiness.isReady(model: $0.index) } ?? false
        body.append("{\"name\":\"")
        body.append(route?.nameJSON.view ?? .empty)
        body.append(isReady ? "\",\"ready\":true}" : "\",\"ready\":false}")
        return isReady
    }
}

@available(*, unavailable)
extension ModelCatalog: Sendable {}
