import Testing

@testable import Gateway

@Suite struct V2AnswerTests {
    /// One output `y` with these shape and data.
    private static func single(_ shape: String, _ data: String) -> String {
        #"{"outputs":[{"name":"y","shape":\#(shape),"datatype":"FP32","data":\#(data)}]}"#
    }

    private static let misfit = "malformed: `outputs[0]` (`y`) has `data` that does not fit its `shape`"
    private static let noShape = "malformed: `outputs[0]` (`y`) has no `shape`, or none that is possible"

    @Test(arguments: [
        ("[3]", "[1, 2.5 ,3]", ["1", "2.5", "3"]),
        ("[2]", #"["a", null]"#, [#""a""#, "null"]),
        ("[0]", "[]", []),
        ("[2,1]", "[1,2]", ["[1]", "[2]"]),
        ("[2,2]", "[1, 2,3,  4]", ["[1, 2]", "[3,  4]"]),
        ("[2,1,2]", "[1,2,3,4]", ["[1,2]", "[3,4]"]),
        ("[2,2]", "[[1, 2],[3,4]]", ["[1, 2]", "[3,4]"]),
        ("[1,2,2]", "[[[1,2],[3,4]]]", ["[[1,2],[3,4]]"]),
        ("[1,2,2]", "[[1,2,3,4]]", ["[1,2,3,4]"]),
        ("[2,0]", "[]", ["[]", "[]"]),
        ("[2,0]", "[[],[]]", ["[]", "[]"]),
        ("[0,5]", "[]", []),
        ("[]", "[7]", ["[7]"]),
        ("[]", "7", ["7"]),
        ("[3]", "[1,2]", [misfit]),
        ("[2,2]", "[1,2,3]", [misfit]),
        ("[2,2]", "[[1,2]]", [misfit]),
        ("[2,2]", "[[1,2],[3]]", [misfit]),
        ("[2,2]", "[[1,2],3]", [misfit]),
        ("[2,2]", "[1,2,3,[4]]", [misfit]),
        ("[1]", "5", [misfit]),
        ("[1]", "null", [misfit]),
        ("[2,0]", "[1]", [misfit]),
        ("[-1]", "[]", [noShape]),
        ("[1.0]", "[1]", [noShape]),
        ("[[1],2]", "[1,2]", [noShape]),
        ("5", "[1]", [noShape]),
        ("[99999999999999999999]", "[]", [noShape]),
        ("[1,4294967296,4294967296]", "[]", [noShape]),
        ("[4294967296,4294967296]", "[]", [misfit]),
        // Rows that nothing backs.
        ("[1000000000,0]", "[]", ["[]"]),
    ])
    func cutsOneOutput(shape: String, data: String, values: [String]) {
        #expect(PredictionExtractor().values(.v2, Self.single(shape, data)) == values)
    }

    @Test(arguments: [
        // Several outputs, their members in any order.
        (
            #"{"outputs":[{"data":[1,2,3,4],"shape":[2,2],"datatype":"INT64","name":"a"},"#
                + #"{"name":"b\"","datatype":"BYTES","shape":[2],"data":["x","y"]},"#
                + #"{"name":"c","shape":[2,1],"data":[[true],[false]]}]}"#,
            [#"{"a":[1,2],"b\"":"x","c":[true]}"#, #"{"a":[3,4],"b\"":"y","c":[false]}"#]
        ),
        // They disagree on dimension 0, or one has none.
        (
            #"{"outputs":[{"name":"a","shape":[2],"data":[1, 2]},{"name":"b","shape":[1],"data":[3]}]}"#,
            [#"{"a":[1, 2],"b":[3]}"#]
        ),
        (
            #"{"outputs":[{"name":"a","shape":[2,1],"data":[1,2]},{"name":"b","shape":[],"data":3}]}"#,
            [#"{"a":[1,2],"b":3}"#]
        ),
        (
            #"{"outputs":[{"name":"a","shape":[0],"data":[]},{"name":"b","shape":[1],"data":[3]}]}"#,
            [#"{"a":[],"b":[3]}"#]
        ),
        (#"{"outputs":[{"name":"a","shape":[0],"data":[]},{"name":"b","shape":[0,2],"data":[]}]}"#, []),
        (#"{"outputs":[]}"#, []),
        (#"{"model_name":"m"}"#, ["malformed: the answer has no `outputs` (an array)"]),
        (#"{"outputs":{}}"#, ["malformed: the answer has no `outputs` (an array)"]),
        (#"{"outputs":[1]}"#, ["malformed: `outputs[0]` is not an object"]),
        (
            #"{"outputs":[{"name":"a","shape":[1],"data":[1]},{"name":"b","shape":[1]}]}"#,
            ["malformed: `outputs[1]` (`b`) has neither `data` nor `parameters.binary_data_size`"]
        ),
        (
            #"{"outputs":[{"name":"a","shape":[1],"parameters":{"shared_memory_region":"r"}}]}"#,
            [#"{"datatype":"","shape":[]}"#]
        ),
        (
            #"{"outputs":[{"name":"a","shape":[1],"parameters":{"binary_data_size":8}}]}"#,
            ["malformed: `outputs[0]` (`a`) announces more binary data than there is"]
        ),
    ])
    func readsOutputs(body: String, values: [String]) {
        #expect(PredictionExtractor().values(.v2, body) == values)
    }

    @Test(arguments: [
        ("FP32", "[2,3]", 24, [#"{"datatype":"FP32","shape":[3],"binaryDataSize":12}"#]),
        ("FP32", "[2]", 8, [#"{"datatype":"FP32","shape":[],"binaryDataSize":4}"#]),
        ("FP32", "[2,3]", 23, [#"{"datatype":"FP32","shape":[3]}"#]),
        ("BYTES", "[2,1]", 14, [#"{"datatype":"BYTES","shape":[1]}"#]),
    ])
    func describesBinaryTensor(datatype: String, shape: String, size: Int, row: [String]) {
        let json =
            #"{"outputs":[{"name":"y","datatype":"\#(datatype)","shape":\#(shape),"#
            + #""parameters":{"binary_data_size":\#(size)}}]}"#
        let body = Array(json.utf8) + [UInt8](repeating: 0x22, count: size)
        let seen = PredictionExtractor().see(.v2, body, jsonLength: json.utf8.count)
        #expect(seen.predictions.map(\.value) == row + row)
    }

    @Test func mixesBinaryAndJSON() {
        let json =
            #"{"outputs":[{"name":"a","datatype":"FP32","shape":[2,2],"parameters":{"binary_data_size":16}},"#
            + #"{"name":"b","datatype":"INT32","shape":[2],"data":[7,8]}]}"#
        let body = Array(json.utf8) + [UInt8](repeating: 0xFF, count: 16)
        let extractor = PredictionExtractor()
        let a = #"{"datatype":"FP32","shape":[2],"binaryDataSize":8}"#
        #expect(
            extractor.see(.v2, body, jsonLength: json.utf8.count).predictions.map(\.value)
                == [#"{"a":\#(a),"b":7}"#, #"{"a":\#(a),"b":8}"#]
        )
        #expect(extractor.see(.v2, body, jsonLength: json.utf8.count + 1).unsplit == .notUnderstood)
        #expect(extractor.see(.v2, body, jsonLength: json.utf8.count - 1).unsplit == .notUnderstood)
        #expect(extractor.see(.v2, body, jsonLength: body.count + 1).unsplit == .notUnderstood)
        #expect(extractor.see(.v2, body, jsonLength: -1).unsplit == .notUnderstood)
        #expect(extractor.see(.v2, body).unsplit == .notUnderstood)
    }

    @Test func describesWholeTensorWhereRowsDisagree() {
        let json =
            #"{"outputs":[{"name":"a","datatype":"BYTES","shape":[2,2],"parameters":{"binary_data_size":16}},"#
            + #"{"name":"b","datatype":"INT32","shape":[1],"data":[7]}]}"#
        let body = Array(json.utf8) + [UInt8](repeating: 0xFF, count: 16)
        #expect(
            PredictionExtractor().see(.v2, body, jsonLength: json.utf8.count).predictions.map(\.value)
                == [#"{"a":{"datatype":"BYTES","shape":[2,2],"binaryDataSize":16},"b":[7]}"#]
        )
    }

    static let servers: [(String, SeenAnswer)] = [
        // MLServer, scikit-learn runtime; unversioned models have no `model_version`.
        (
            #"{"model_name":"iris","model_version":"v0.1.0","id":"be0a9e0c","parameters":{},"outputs":[{"name":"#
                + #""predict","shape":[2,1],"datatype":"INT64","parameters":{"content_type":"np"},"data":[0,2]}]}"#,
            SeenAnswer(
                predictions: ["[0]", "[2]"].map {
                    SeenPrediction(value: $0, modelName: "iris", modelVersion: "v0.1.0")
                }
            )
        ),
        (
            #"{"model_name":"iris","id":"1","parameters":{},"outputs":[{"name":"predict","shape":[1],"#
                + #""datatype":"INT64","data":[1]}]}"#,
            SeenAnswer(predictions: [SeenPrediction(value: "1", modelName: "iris")])
        ),
        // Triton.
        (
            #"{"model_name":"simple","model_version":"1","outputs":[{"name":"OUTPUT0","datatype":"INT32","#
                + #""shape":[1,4],"data":[2,4,6,8]},{"name":"OUTPUT1","datatype":"INT32","shape":[1,4],"#
                + #""data":[0,0,0,0]}]}"#,
            SeenAnswer(predictions: [
                SeenPrediction(
                    value: #"{"OUTPUT0":[2,4,6,8],"OUTPUT1":[0,0,0,0]}"#,
                    modelName: "simple",
                    modelVersion: "1"
                )
            ])
        ),
        // KServe SDK: null where the version is unknown.
        (
            #"{"model_name":"m","model_version":null,"id":"2","parameters":null,"outputs":[{"name":"output-0","#
                + #""shape":[2],"datatype":"INT32","parameters":null,"data":[1,1]}]}"#,
            SeenAnswer(predictions: ["1", "1"].map { SeenPrediction(value: $0, modelName: "m") })
        ),
        // A version as a number.
        (
            #"{"model_name":"m","model_version":3,"outputs":[{"name":"y","shape":[1],"data":[1]}]}"#,
            SeenAnswer(predictions: [SeenPrediction(value: "1", modelName: "m", modelVersion: "3")])
        ),
    ]

    @Test(arguments: servers)
    func readsRealAnswers(body: String, expected: SeenAnswer) {
        #expect(PredictionExtractor().see(.v2, body) == expected)
    }

    @Test func takesLinearTime() {
        let rows = 200_000
        let data = Array(repeating: "0.25", count: rows * 4).joined(separator: ",")
        let seen = PredictionExtractor().see(.v2, Self.single("[\(rows),4]", "[\(data)]"))
        #expect(seen.predictions.count == rows)
        #expect(seen.predictions.allSatisfy { $0.value == "[0.25,0.25,0.25,0.25]" })
    }
}
