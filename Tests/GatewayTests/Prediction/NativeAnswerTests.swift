import Testing

@testable import Gateway

@Suite struct NativeAnswerTests {
    static let answers: [(String, SeenAnswer)] = [
        // The object itself.
        (#"{"value":90}"#, SeenAnswer(predictions: [SeenPrediction(value: "90")])),
        (
            #" {"value" : {"a": [1, 2]} , "modelName":"rotate","modelVersion":"3","timeTakenInMs":4.10,"id":"x"} "#,
            SeenAnswer(predictions: [
                SeenPrediction(
                    value: #"{"a": [1, 2]}"#,
                    modelName: "rotate",
                    modelVersion: "3",
                    timeTakenInMs: "4.10",
                    id: "x"
                )
            ])
        ),
        (
            #"{"score":0.5,"value":null,"labels":["a", "b"]}"#,
            SeenAnswer(predictions: [SeenPrediction(value: "null", extra: #""score":0.5,"labels":["a", "b"]"#)])
        ),
        // A list.
        (#"{"predictions":[]}"#, SeenAnswer(predictions: [])),
        (#"{"predictions":[],"note":"none"}"#, SeenAnswer(predictions: [], extra: #""note":"none""#)),
        (
            #"{"id":"r","predictions":[{"id":"p1","modelName":"a","modelVersion":3,"timeTakenInMs":1e1,"value":""},"#
                + #"{"value":[],"color":"r\"ed"}],"unit":{"k" : "ms"},"more":[1]}"#,
            SeenAnswer(
                predictions: [
                    SeenPrediction(value: #""""#, modelName: "a", modelVersion: "3", timeTakenInMs: "1e1", id: "p1"),
                    SeenPrediction(value: "[]", extra: #""color":"r\"ed""#),
                ],
                extra: #""unit":{"k" : "ms"},"more":[1]"#
            )
        ),
        // Defaults from the top level, wherever it stands.
        (
            #"{"modelName":"m","predictions":[{"value":1},{"value":2,"modelName":"own","timeTakenInMs":7}],"#
                + #""timeTakenInMs":5,"modelVersion":"9"}"#,
            SeenAnswer(predictions: [
                SeenPrediction(value: "1", modelName: "m", modelVersion: "9", timeTakenInMs: "5"),
                SeenPrediction(value: "2", modelName: "own", modelVersion: "9", timeTakenInMs: "7"),
            ])
        ),
        // A `value` beside the list means nothing to us; an `id` that is no string neither.
        (
            #"{"value":3,"id":4,"predictions":[{"value":1,"id":2}]}"#,
            SeenAnswer(predictions: [SeenPrediction(value: "1", extra: #""id":2"#)], extra: #""value":3"#)
        ),
        // Wrong types are members like any other.
        (
            #"{"value":1,"modelName":5,"modelVersion":null,"timeTakenInMs":"4"}"#,
            SeenAnswer(predictions: [
                SeenPrediction(value: "1", extra: #""modelName":5,"modelVersion":null,"timeTakenInMs":"4""#)
            ])
        ),
        (
            #"{"predictions":{"a":1},"value":2}"#,
            SeenAnswer(predictions: [SeenPrediction(value: "2", extra: #""predictions":{"a":1}"#)])
        ),
        // The first of a name wins.
        (
            #"{"value":1,"value":2,"modelName":"a","modelName":"b"}"#,
            SeenAnswer(predictions: [SeenPrediction(value: "1", modelName: "a")])
        ),
        // Text stays escaped.
        (
            #"{"value":"\ud83d\ude00","modelName":"caf\u00e9 \"x\""}"#,
            SeenAnswer(predictions: [SeenPrediction(value: #""\ud83d\ude00""#, modelName: #"caf\u00e9 \"x\""#)])
        ),
        // Numbers beyond 64 bits are JSON too.
        (
            #"{"value":[123456789012345678901234567890, -0.0, 1E400]}"#,
            SeenAnswer(predictions: [SeenPrediction(value: "[123456789012345678901234567890, -0.0, 1E400]")])
        ),
    ]

    @Test(arguments: answers)
    func readsAnswer(body: String, expected: SeenAnswer) {
        #expect(PredictionExtractor().see(.native, body) == expected)
    }

    @Test(arguments: [
        ("{}", "the answer has neither `predictions` (an array) nor `value`"),
        (#"{"predictions":5}"#, "the answer has neither `predictions` (an array) nor `value`"),
        (#"{"predictions":[{"value":1},{"values":2}]}"#, "`predictions[1]` is not an object with a `value`"),
        (#"{"predictions":[5]}"#, "`predictions[0]` is not an object with a `value`"),
        ("[]", "the answer is not a JSON object"),
        ("5", "the answer is not a JSON object"),
        ("", "the body cannot be read as JSON: it is empty"),
    ])
    func refusesAnswer(body: String, reason: String) {
        #expect(PredictionExtractor().values(.native, body) == ["malformed: " + reason])
    }

    @Test func isUsedAgain() {
        let extractor = PredictionExtractor()
        for _ in 0..<3 {
            for (body, expected) in Self.answers {
                #expect(extractor.see(.native, body) == expected)
                #expect(extractor.see(.native, "{").unsplit == .notUnderstood)
            }
        }
    }

    @Test func carriesManyUnknownMembers() {
        // More than the scratch space holds at first, so that it moves while it fills.
        let members = (0..<2_000).map { #"{"value":\#($0),"note":"\#($0)"}"# }
        let seen = PredictionExtractor().see(
            .native,
            #"{"a":1,"predictions":[\#(members.joined(separator: ","))]}"#
        )
        #expect(seen.extra == #""a":1"#)
        #expect(seen.predictions == (0..<2_000).map { SeenPrediction(value: "\($0)", extra: #""note":"\#($0)""#) })
    }

    /// A list that breaks off had begun to note where its elements' own members end.
    @Test func forgetsAListThatIsNone() {
        let extractor = PredictionExtractor()
        for _ in 0..<3 {
            let broken = extractor.see(.native, #"{"predictions":[{"value":1,"a":1},{"value":2,"b":2},3]}"#)
            #expect(broken.unsplit == .notUnderstood)
            let good = extractor.see(.native, #"{"predictions":[{"value":1,"a":1}]}"#)
            #expect(good.predictions == [SeenPrediction(value: "1", extra: #""a":1"#)])
            let single = extractor.see(.native, #"{"value":1,"a":1}"#)
            #expect(single.predictions == [SeenPrediction(value: "1", extra: #""a":1"#)])
        }
    }
}
