/// What the model of an exchange is called where it does not say itself: by the path that asked for it, else by the
/// configuration. The insides of JSON strings, valid until the next exchange.
final class RoutedNames {
    private(set) var modelName = ByteView.empty
    /// Empty: not known.
    private(set) var modelVersion = ByteView.empty
    /// The configured entry that was asked.
    private(set) var routedModel = ByteView.empty
    /// Empty: none is configured.
    private(set) var routedVersion = ByteView.empty
    private let wanted = ByteBuffer(capacity: 64)

    func read(_ exchange: Exchange) {
        guard let route = exchange.route else {
            modelName = .empty
            modelVersion = .empty
            routedModel = .empty
            routedVersion = .empty
            return
        }
        routedModel = route.nameJSON.view
        routedVersion = route.versionJSON.view
        // Requests name a model as it is configured.
        modelName = routedModel
        modelVersion = routedVersion
        guard modelVersion.isEmpty, !exchange.request.wantedVersion.isEmpty else { return }
        wanted.removeAll(keepingAtMost: 1 << 10)
        wanted.appendJSON(escaping: exchange.request.wantedVersion.view)
        if wanted.count <= Prediction.maxNameBytes { modelVersion = wanted.view }
    }

    func modelName(_ prediction: Prediction) -> ByteView {
        prediction.modelName.isEmpty ? modelName : prediction.modelName
    }

    func modelVersion(_ prediction: Prediction) -> ByteView {
        prediction.modelVersion.isEmpty ? modelVersion : prediction.modelVersion
    }
}

@available(*, unavailable)
extension RoutedNames: Sendable {}
