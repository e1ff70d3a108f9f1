extension ModelProtocol {
    init(_ word: Configuration.Model.ServiceProtocol) {
        guard let named = ModelProtocol.named(word.rawValue) else {
            preconditionFailure("each word for a protocol has one")
        }
        self = named
    }
}
