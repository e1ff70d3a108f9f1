/// The models of the example Model Service, by the names in its paths.
enum ExampleModelName: CaseIterable {
    /// Which iris a flower is, from its four measures.
    case iris
    /// Which digit a picture shows, and how it must be turned first.
    case digits

    var text: StaticString {
        switch self {
        case .iris: "iris"
        case .digits: "digits"
        }
    }

    /// The version of the model; for `digits` that of its last step.
    var version: StaticString {
        switch self {
        case .iris: IrisModel.version
        case .digits: DigitModel.version
        }
    }

    init?(_ text: ByteView) {
        guard let name = Self.allCases.first(where: { text == $0.text }) else { return nil }
        self = name
    }
}
