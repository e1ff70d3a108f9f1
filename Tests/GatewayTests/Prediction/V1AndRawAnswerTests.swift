import Testing

@testable import Gateway

@Suite struct V1AnswerTests {
    @Test(arguments: [
        (#"{"predictions":[1, "two" ,{"a":[3]},[4 , 5],null]}"#, ["1", #""two""#, #"{"a":[3]}"#, "[4 , 5]", "null"]),
        (#"{"model":"m","predictions":[]}"#, []),
        (#"{"predictions": "one" }"#, [#""one""#]),
        (#"{"predictions":{"classes":[1],"scores":[0.5]}}"#, [#"{"classes":[1],"scores":[0.5]}"#]),
        (#"{"outputs":[1]}"#, ["malformed: the answer has no `predictions`"]),
        (#"[1]"#, ["malformed: the answer is not a JSON object"]),
        // KServe SDK and TensorFlow Serving.
        (#"{"predictions":[[0.1,0.9],[0.8,0.2]]}"#, ["[0.1,0.9]", "[0.8,0.2]"]),
        ("{\n    \"predictions\": [2.5, 3.0, 4.5\n    ]\n}", ["2.5", "3.0", "4.5"]),
    ])
    func readsAnswer(body: String, values: [String]) {
        #expect(PredictionExtractor().values(.v1, body) == values)
    }
}

@Suite struct RawAnswerTests {
    @Test(arguments: [
        ("application/json", " {\"a\": 1}\n", #"{"a": 1}"#, ""),
        ("Application/JSON; charset=utf-8", "[1]", "[1]", ""),
        ("application/vnd.x+json", "true", "true", ""),
        ("application/json", "", "null", ""),
        ("", "", "null", ""),
        ("text/plain", "5", #""NQ==""#, "text/plain"),
        ("", "foobar", #""Zm9vYmFy""#, "application/octet-stream"),
        ("application/json", "foob", #""Zm9vYg==""#, "application/json"),
        ("application/json", "[1]x", #""WzFdeA==""#, "application/json"),
        ("application/json", " ", #""IA==""#, "application/json"),
        ("image/png; x=+json", "fooba", #""Zm9vYmE=""#, "image/png; x=+json"),
        ("application/jsonl", "1", #""MQ==""#, "application/jsonl"),
    ])
    func readsAnswer(type: String, body: String, value: String, contentType: String) throws {
        let seen = try PredictionExtractor().see(.raw, body, contentType: type)
        #expect(seen == SeenAnswer(predictions: [SeenPrediction(value: value, contentType: contentType)]))
    }
}

@Suite struct RequestIdTests {
    @Test(arguments: [
        (#"{"id":"42","inputs":[]}"#, "42"),
        (#"{"inputs":[{"id":"no"}],"id":"é\u00e9\n\"\\\/\ud83d\ude00"}"#, "éé\n\"\\/😀"),
        (#"{"id":"\b\f\r\t\u0800\u007f"}"#, "\u{8}\u{c}\r\t\u{800}\u{7f}"),
        (#"{"id":""}"#, ""),
        (#"{"id":42}"#, nil),
        (#"{"id":null}"#, nil),
        ("{}", nil),
    ] as [(String, String?)])
    func findsId(body: String, id: String?) throws {
        #expect(try PredictionExtractor().id(in: Array(body.utf8)) == id)
    }

    @Test(arguments: ["", "[]", #"{"id":"1""#, #"{"id":"1"} x"#, #"{"id":"1","a":nope}"#])
    func refusesRequest(body: String) {
        #expect(throws: MalformedAnswer.self) { try PredictionExtractor().id(in: Array(body.utf8)) }
    }

    @Test func readsNoFurtherThanTheJSON() throws {
        let extractor = PredictionExtractor()
        let body = Array(#"{"id":"7"}"#.utf8)
        #expect(try extractor.id(in: body + [0xFF, 0x00, 0x22], length: body.count) == "7")
        #expect(throws: MalformedAnswer.self) { try extractor.id(in: body, length: body.count - 1) }
        #expect(throws: MalformedAnswer.self) { try extractor.id(in: body, length: body.count + 1) }
        #expect(throws: MalformedAnswer.self) { try extractor.id(in: body + [0xFF]) }
    }
}
