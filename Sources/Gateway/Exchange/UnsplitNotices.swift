import Synchronization

/// Says once for each model, and each reason, that its answers are recorded whole, and what to do about it. Shared by all
/// shards.
final class UnsplitNotices: Sendable {
    private let models: [Model]
    private let log: @Sendable (String) -> Void

    private final class Model: Sendable {
        let name: String
        let modelProtocol: ModelProtocol
        let maxPredictions: Int
        /// A bit for each reason that was told.
        let told = Atomic<Int>(0)

        init(_ route: Route) {
            name = route.name
            modelProtocol = route.modelProtocol
            maxPredictions = route.maxPredictions
        }
    }

    /// A model as configured.
    struct Route {
        var name: String
        var modelProtocol: ModelProtocol
        var maxPredictions: Int
    }

    init(_ routes: [Route], log: @escaping @Sendable (String) -> Void) {
        models = routes.map(Model.init)
        self.log = log
    }

    func note(_ unsplit: Unsplit, _ answer: PredictionExtractor, of index: Int) {
        let model = models[index]
        let bit = 1 << unsplit.rawValue
        // Read first: answers that are usual must not write to what all shards read.
        guard model.told.load(ordering: .relaxed) & bit == 0 else { return }
        guard model.told.bitwiseOr(bit, ordering: .relaxed).oldValue & bit == 0 else { return }
        log(text(unsplit, answer, model, index))
    }

    private func text(_ unsplit: Unsplit, _ answer: PredictionExtractor, _ model: Model, _ index: Int) -> String {
        let key = "models.\(index)"
        switch unsplit {
        case .notUnderstood:
            return """
                \(model.name): its answers are not what protocol \(model.modelProtocol.codec.name) says they should be: \
                \(answer.reason). They are passed on and recorded whole. \
                \(advice(answer.likelyProtocol, model.modelProtocol, key))
                """
        case .tooMany:
            return """
                \(model.name): an answer has too many Predictions (\(key).maxPredictions is \(model.maxPredictions)): \
                \(answer.reason). Such answers are passed on and recorded whole
                """
        case .encoded:
            return """
                \(model.name): its answers are compressed (Content-Encoding: \(answer.contentEncoding.prefix(40).string)) \
                although nobody asked for it, and cannot be looked into. They are passed on and recorded whole: turn \
                compression off in the Model Service
                """
        }
    }

    private func advice(_ likely: ModelProtocol?, _ configured: ModelProtocol, _ key: String) -> String {
        guard let likely, likely != configured else {
            return "If that is how they are, set \(key).protocol to raw: then this is not said"
        }
        return "They look like protocol \(likely.codec.name): set \(key).protocol to \(likely.codec.name)"
    }
}

extension ModelAnswer {
    /// The value of Content-Encoding; nil: the body is as it is.
    var contentEncoding: ByteView? {
        guard isEncoded else { return nil }
        var encoding = ByteView("unknown")
        HeaderRules.forEachLine(in: headers) { name, value in
            if name.equalsIgnoringCase(ByteView("Content-Encoding")) { encoding = value }
        }
        return encoding
    }
}
