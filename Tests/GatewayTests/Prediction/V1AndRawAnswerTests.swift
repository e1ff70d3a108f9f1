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
    @Test(
        arguments: [
            ("application/json", " {\"a\": 1}\n", #"{"a": 1}"#, nil, ""),
            ("Application/JSON; charset=utf-8", "[1]", "[1]", nil, ""),
            ("application/vnd.x+json", "true", "true", nil, ""),
            ("application/json", "", "null", nil, ""),
            ("", "", "null", nil, ""),
            // Without a type it may be JSON; with another it is what the type says.
            ("", "{\"a\":1}", "{\"a\":1}", nil, ""),
            ("", "\u{FEFF}[1]", "[1]", nil, ""),
            ("text/plain", "5", "5", .text, "text/plain"),
            ("text/csv", "a,b\r\n1,2\r\n", "a,b\r\n1,2\r\n", .text, "text/csv"),
            ("", "foobar", "foobar", .text, ""),
            ("", "été 😀", "été 😀", .text, ""),
            ("application/json", "foob", "foob", .text, "application/json"),
            ("application/json", "[1]x", "[1]x", .text, "application/json"),
            ("application/json", " ", " ", .text, "application/json"),
            ("application/jsonl", "1\n2\n", "1\n2\n", .text, "application/jsonl"),
            ("image/svg+xml", "<svg/>", "<svg/>", .text, "image/svg+xml"),
            ("image/png; x=+json", "fooba", "fooba", .base64, "image/png; x=+json"),
            ("application/octet-stream", "{}", "{}", .base64, "application/octet-stream"),
            // Controls are no text, whatever the type says.
            ("text/plain", "a\u{0}b", "a\u{0}b", .base64, "text/plain"),
            ("", "\u{1B}[0m", "\u{1B}[0m", .base64, "application/octet-stream"),
        ] as [(String, String, String, BodyEncoding?, String)]
    )
    func readsAnswer(type: String, body: String, value: String, encoding: BodyEncoding?, contentType: String) {
        let seen = PredictionExtractor().see(.raw, body, contentType: type)
        #expect(
            seen
                == SeenAnswer(
                    predictions: [SeenPrediction(value: value, encoding: encoding)],
                    contentType: contentType
                )
        )
    }

    @Test(arguments: [[0xFF], [0x61, 0xC3], [0xED, 0xA0, 0x80]] as [[UInt8]])
    func encodesWhatIsNotUTF8(body: [UInt8]) {
        let seen = PredictionExtractor().see(.raw, body)
        #expect(seen.predictions.first?.encoding == .base64)
        #expect(seen.contentType == "application/octet-stream")
    }
}

/// Answers that are not what their protocol says: each is one Prediction, with a reason.
@Suite struct UnsplitAnswerTests {
    @Test(
        arguments: [
            (.native, "{\"value\":", .text), (.native, "", nil), (.native, "[1,2]", nil), (.native, "{\"a\":NaN}", nil),
            (.native, "{\"predictions\":[{\"value\":1},2]}", nil), (.v1, "{\"outputs\":[[1],[2]]}", nil),
            (.v1, "5", nil),
            (.v1, "hello", .text), (.v1, "a\u{0}", .base64), (.v2, "{\"outputs\":5}", nil),
            // MLServer's custom-json example: the shape is the length of the text.
            (.v2, #"{"outputs":[{"name":"e","datatype":"BYTES","shape":[12],"data":["{\"a\": 1.0}"]}]}"#, nil),
            (.v2, #"{"outputs":[{"name":"e","datatype":"BYTES","shape":[12],"data":"{\"a\": 1.0}"}]}"#, nil),
            // Triton's output in shared memory.
            (.v2, #"{"model_name":"m","outputs":[{"name":"OUTPUT0","datatype":"INT32","shape":[1,16]}]}"#, nil),
            // Two outputs of one name.
            (.v2, #"{"outputs":[{"name":"a","shape":[1],"data":[1]},{"name":"a","shape":[1],"data":[2]}]}"#, nil),
            (.v2, #"{"outputs":[{"name":"a","shape":[1],"data":[1]},{"name":"\u0061","shape":[1],"data":[2]}]}"#, nil),
            (.v2, #"{"outputs":[{"shape":[1],"data":[1]},{"shape":[1],"data":[2]}]}"#, nil),
        ] as [(ModelProtocol, String, BodyEncoding?)]
    )
    func isWhole(modelProtocol: ModelProtocol, body: String, encoding: BodyEncoding?) {
        let seen = PredictionExtractor().see(modelProtocol, body)
        #expect(seen.unsplit == .notUnderstood)
        #expect(!seen.reason.isEmpty)
        #expect(seen.predictions.map(\.value) == [body.isEmpty ? "null" : body])
        #expect(seen.predictions.first?.encoding == encoding)
        if body.contains("model_name") { #expect(seen.predictions.first?.modelName == "m") }
    }

    @Test func keepsBinaryTensorsWhole() {
        let json = #"{"outputs":[{"name":"a","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":80}}]}"#
        let body = Array(json.utf8) + [1, 2, 3, 4]
        let seen = PredictionExtractor().see(.v2, body, jsonLength: json.utf8.count)
        #expect(seen.unsplit == .notUnderstood)
        #expect(seen.predictions.first?.encoding == .base64)
        #expect(seen.contentType == "application/octet-stream")
    }

    @Test(arguments: ModelProtocol.allCases) func isEncoded(modelProtocol: ModelProtocol) {
        let seen = PredictionExtractor().see(
            modelProtocol,
            "{\"predictions\":[1]}",
            contentType: "application/json",
            contentEncoding: "br"
        )
        #expect(
            seen
                == SeenAnswer(
                    predictions: [SeenPrediction(value: "{\"predictions\":[1]}", encoding: .base64)],
                    contentType: "application/json",
                    contentEncoding: "br",
                    unsplit: .encoded
                )
        )
    }

    @Test(arguments: [(3, Unsplit?.none), (2, .tooMany)])
    func hasTooManyPredictions(maxPredictions: Int, unsplit: Unsplit?) {
        let answers: [(ModelProtocol, String)] = [
            (.native, #"{"modelName":"m","predictions":[{"value":1},{"value":2},{"value":3}]}"#),
            (.v1, #"{"predictions":[1,2,3]}"#),
            (.v2, #"{"model_name":"m","outputs":[{"name":"y","shape":[3],"data":[1,2,3]}]}"#),
            (.v2, #"{"outputs":[{"name":"y","shape":[3,0],"data":[]}]}"#),
            (.v2, #"{"outputs":[{"name":"y","shape":[3],"parameters":{"shared_memory_region":"r"}}]}"#),
        ]
        for (modelProtocol, body) in answers {
            let seen = PredictionExtractor().see(modelProtocol, body, maxPredictions: maxPredictions)
            #expect(seen.unsplit == unsplit)
            #expect(seen.predictions.count == (unsplit == nil ? 3 : 1))
            if unsplit != nil { #expect(seen.predictions.first?.value == body) }
            if body.contains("\"m\"") { #expect(seen.predictions.first?.modelName == "m") }
        }
    }

    /// 62 KiB that would become 900 × 60,000 descriptions.
    @Test func wouldGrowWithoutBound() {
        let outputs = (0..<900).map { #"{"name":"\#($0)","shape":[60000],"parameters":{"binary_data_size":0}}"# }
        let body = #"{"outputs":[\#(outputs.joined(separator: ","))]}"#
        #expect(PredictionExtractor().see(.v2, body).unsplit == .tooMany)
        #expect(PredictionExtractor().see(.v2, body, maxPredictions: 10_000).unsplit == .tooMany)
        // The same for one row each is well.
        let small = body.replacing("[60000]", with: "[1]")
        #expect(PredictionExtractor().see(.v2, small).unsplit == nil)
    }

    /// What each row repeats: names, datatypes, shapes.
    @Test(arguments: ["name", "datatype", "shape"]) func wouldRepeatTooMuch(part: String) {
        let long = String(repeating: "x", count: 100_000)
        let shape = part == "shape" ? "[1000" + String(repeating: ",1", count: 50_000) + "]" : "[1000]"
        let outputs = ["a", "b"].map { name in
            #"{"name":"\#(part == "name" ? long + name : name)","datatype":"\#(part == "datatype" ? long : "FP32")","#
                + #""shape":\#(shape),"parameters":{"binary_data_size":0}}"#
        }
        let body = #"{"outputs":[\#(outputs.joined(separator: ","))]}"#
        let seen = PredictionExtractor().see(.v2, body)
        #expect(seen.unsplit == .tooMany)
        #expect(seen.predictions.map(\.value) == [body])
    }

    @Test func hasTooManyParts() {
        let body = #"{"outputs":[\#(Array(repeating: "{}", count: JSONOutline.maxNodes).joined(separator: ","))]}"#
        let seen = PredictionExtractor().see(.v2, body)
        #expect(seen.unsplit == .tooMany)
        #expect(seen.predictions.map(\.value.count) == [body.utf8.count])
    }
}

@Suite struct RequestIdTests {
    @Test(
        arguments: [
            (#"{"id":"42","inputs":[]}"#, "42"),
            (#"{"inputs":[{"id":"no"}],"id":"é\u00e9\n\"\\\/\ud83d\ude00"}"#, "éé\n\"\\/😀"),
            (#"{"id":"\b\f\r\t\u0800\u007f"}"#, "\u{8}\u{c}\r\t\u{800}\u{7f}"),
            (#"{"id":""}"#, ""),
            (#"{"id":42}"#, nil),
            (#"{"id":null}"#, nil),
            (#"{"id":{"id":"1"}}"#, nil),
            ("{}", nil),
        ] as [(String, String?)]
    )
    func findsId(body: String, id: String?) {
        #expect(requestId(in: Array(body.utf8)) == id)
    }

    @Test(arguments: ["", " ", "[]", "5", #"["id","1"]"#, #"{"id":"1""#, #"{"id":"1"} x"#, #"{"id":"1","a":nope}"#])
    func findsNoneInWhatIsNoRequest(body: String) {
        #expect(requestId(in: Array(body.utf8)) == nil)
    }

    /// However long the rest is, before it or after it.
    @Test(arguments: [0, 100_000, 400_000]) func findsIdInLongBodies(length: Int) {
        let data = "[" + String(repeating: "1.25,", count: length) + "1]"
        #expect(requestId(in: Array(#"{"id":"a","inputs":\#(data)}"#.utf8)) == "a")
        #expect(requestId(in: Array(#"{"inputs":\#(data),"id":"b","more":\#(data)}"#.utf8)) == "b")
        #expect(requestId(in: Array(#"{"inputs":\#(data),"x":{"id":"c"}}"#.utf8)) == nil)
    }
}
