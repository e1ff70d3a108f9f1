/// Finds the model that a request names.
final class Router {
    enum Lookup {
        case found(ModelRoute)
        case unknownModel
        case unknownVersion
    }

    private static let maxSuggested = 100

    /// In the order of the configuration.
    let routes: [ModelRoute]
    /// By name, and those of one name in the order of the configuration: looked through by halves.
    private let sorted: [ModelRoute]
    /// Of so many models that a wrong name would take long, none.
    private let suggestions: Suggestions

    init(routes: [ModelRoute]) {
        precondition(!routes.isEmpty, "a Sidecar without models has nothing to serve")
        self.routes = routes
        let names = Set(routes.map { $0.name.view.string })
        self.suggestions = Suggestions(names.count <= Self.maxSuggested ? names.sorted() : [])
        self.sorted = routes.sorted {
            $0.name.view == $1.name.view ? $0.index < $1.index : $0.name.view < $1.name.view
        }
    }

    /// The model that serves requests which name none.
    var first: ModelRoute { routes[0] }

    /// Looks a model up by its plain name, and its version if one is asked for (not empty).
    func find(name: ByteView, version: ByteView) -> Lookup {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].name.view < name { low = middle + 1 } else { high = middle }
        }
        guard low < sorted.count, sorted[low].name.view == name else { return .unknownModel }
        if version.isEmpty { return .found(sorted[low]) }
        var index = low
        while index < sorted.count, sorted[index].name.view == name {
            let route = sorted[index]
            if route.version.view == version { return .found(route) }
            // A service whose paths name versions, and that has none configured, is asked for whichever is wanted.
            if route.version.isEmpty, route.modelProtocol.codec.paths?.versions != nil { return .found(route) }
            index += 1
        }
        return .unknownVersion
    }

    /// Gives the exchange its route, by plain name and version; why it is refused where there is none. No name: the first.
    func assignRoute(to exchange: Exchange, name: ByteView, version: ByteView) -> ExchangeFailure? {
        guard !name.isEmpty else {
            exchange.route = first
            return nil
        }
        switch find(name: name, version: version) {
        case .found(let route):
            exchange.route = route
            if !version.isEmpty, route.version.isEmpty { exchange.request.wantedVersion.append(version) }
            return nil
        case .unknownModel:
            return unknownModel(name)
        case .unknownVersion:
            return ExchangeFailure(cause: .unknownVersion, message: "this version of the model is not configured")
        }
    }

    /// Off the path of requests that are served: this makes text.
    private func unknownModel(_ name: ByteView) -> ExchangeFailure {
        var failure = ExchangeFailure(cause: .unknownModel, message: "no model of this name is configured")
        guard let near = suggestions.nearest(to: name.string) else { return failure }
        if let route = routes.first(where: { $0.name.view.string == near }) { failure.detail = route.suggestion.view }
        return failure
    }
}
