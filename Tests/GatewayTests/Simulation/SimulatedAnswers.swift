@testable import Gateway

/// What a Model Service of a simulation answers with: bodies made once for all runs, and how many Predictions each is.
final class SimulatedAnswers {
    struct Body {
        let bytes: ByteBuffer
        /// Of how many Predictions it is, read by the route's protocol: what is not understood is one.
        let rows: Int
    }

    /// An answer of more Predictions is one.
    static let maxPredictions = 2_000

    /// Answers as they are most of the time, those that take several turns, and those that make no sense.
    let short: [Body]
    let long: [Body]
    let nonsense: [Body]

    private static let longText = String(repeating: "x", count: LongAnswers.minBytes)

    init(_ modelProtocol: ModelProtocol) {
        short = [0, 1, 2, 5, 40].map { Self.list(modelProtocol, rows: $0) }
        // Of few rows, whose events are more than one step all the same.
        let longRow = "\"\(String(repeating: "y", count: LongAnswers.stepBytes / 20))\""
        long = [
            Self.list(modelProtocol, rows: LongAnswers.minRows),
            Self.list(modelProtocol, rows: Self.maxPredictions + 1),
            Self.list(modelProtocol, rows: 24, element: longRow),
            Self.list(modelProtocol, rows: 24, element: longRow),
            Body(bytes: ByteBuffer(text: Self.longText), rows: 1),
        ]
        nonsense = ["what?", #"{"predictions":[1,2"#, "{}", "[]", #"{"outputs":"#, "\u{0}"].map {
            Body(bytes: ByteBuffer(text: $0), rows: 1)
        }
    }

    private static func list(_ modelProtocol: ModelProtocol, rows: Int, element: String = "1") -> Body {
        let text =
            switch modelProtocol {
            case .native:
                #"{"predictions":[\#(elements(#"{"value":\#(element)}"#, rows))]}"#
            case .v1: #"{"predictions":[\#(elements(element, rows))]}"#
            case .v2:
                #"{"outputs":[{"name":"y","datatype":"BYTES","shape":[\#(rows)],"data":[\#(elements(element, rows))]}]}"#
            case .raw: elements(element, rows)
            }
        let isOne = modelProtocol == .raw || rows > maxPredictions
        return Body(bytes: ByteBuffer(text: text), rows: isOne ? 1 : rows)
    }

    private static func elements(_ element: String, _ rows: Int) -> String {
        Array(repeating: element, count: rows).joined(separator: ",")
    }
}
