import Testing

@testable import Gateway

@Suite struct ExampleResponderTests {
    private let responder = ExampleResponder()

    /// Status and body; the times, which differ from run to run, as 0.
    private func ask(_ speech: ExampleSpeech, _ model: ExampleModelName, _ body: String) -> String {
        let out = ByteBuffer()
        let status = Array(body.utf8).withByteView {
            responder.predict(speech, model, body: $0, heldFor: 0, to: out)
        }
        return "\(status) " + out.view.string.replacing(/"timeTakenInMs":[0-9]+\.[0-9]{6}/, with: #""timeTakenInMs":0"#)
    }

    // A 7 that lies on its right side, as rows, as numbers, and as numbers in rows.
    private static let seven = ###"["....#","##..#","..#.#","...##","....#"]"###
    private static let sevenFlat = "[0,0,0,0,1, 1,1,0,0,1, 0,0,1,0,1, 0,0,0,1,1, 0,0,0,0,1]"
    private static let sevenNested = "[[0,0,0,0,1],[1,1,0,0,1],[0,0,1,0,1],[0,0,0,1,1.0],[0,0,0,0,1e0]]"

    @Test func nativeIris() {
        let setosa =
            #"{"modelName":"iris","modelVersion":"1","timeTakenInMs":0,"value":{"label":"setosa","score":0.9816}}"#
        let virginica =
            #"{"modelName":"iris","modelVersion":"1","timeTakenInMs":0,"value":{"label":"virginica","score":0.9961}}"#
        #expect(
            ask(.native, .iris, #"{"features":[5.1,3.5,1.4,0.2]}"#) == #"200 {"predictions":[\#(setosa)]}"#
        )
        #expect(
            ask(.native, .iris, #"{"instances":[[5.1,3.5,1.4,0.2],[6.3,3.3,6,25e-1]]}"#)
                == #"200 {"predictions":[\#(setosa),\#(virginica)]}"#
        )
    }

    @Test(arguments: [seven, sevenFlat, sevenNested])
    func nativeDigits(image: String) {
        #expect(
            ask(.native, .digits, #"{"image":\#(image)}"#)
                == #"200 {"predictions":[{"modelName":"rotate","modelVersion":"3","timeTakenInMs":0,"value":270},"#
                + #"{"modelName":"digits","modelVersion":"7","timeTakenInMs":0,"value":{"label":"7","score":0.9994}}]}"#
        )
    }

    @Test func theTimeHeldCountsTowardTheLastStep() throws {
        let out = ByteBuffer()
        let status = Array(#"{"image":\#(Self.seven)}"#.utf8).withByteView {
            responder.predict(.native, .digits, body: $0, heldFor: 5_000_000_000, to: out)
        }
        #expect(status == 200)
        let times = out.view.string.matches(of: /"timeTakenInMs":([0-9.]+)/).compactMap { Double($0.1) }
        #expect(times.count == 2)
        #expect(times[0] < 5_000 && times[1] >= 5_000)
    }

    @Test func v1() {
        #expect(
            ask(.v1, .iris, #"{"instances":[[5.1,3.5,1.4,0.2],[5.7,2.8,4.1,1.3]]}"#)
                == #"200 {"predictions":["setosa","versicolor"]}"#
        )
        #expect(
            ask(.v1, .digits, #"{"instances":[\#(Self.seven),\#(Self.sevenNested)]}"#)
                == #"200 {"predictions":[{"rotation":270,"label":"7"},{"rotation":270,"label":"7"}]}"#
        )
    }

    @Test(arguments: ["[5.1,3.5,1.4,0.2,6.3,3.3,6.0,2.5]", "[[5.1,3.5,1.4,0.2],[6.3,3.3,6.0,2.5]]"])
    func v2Iris(data: String) {
        let inputs = #""inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","data":\#(data)}]"#
        let label = #"{"name":"label","datatype":"BYTES","shape":[2],"data":["setosa","virginica"]}"#
        let probabilities =
            #"{"name":"probabilities","datatype":"FP64","shape":[2,3],"#
            + #""data":[0.981583,0.018416,0.000000,0.000001,0.003913,0.996086]}"#
        let answer = ask(.v2, .iris, #"{"id":"a\n1",\#(inputs)}"#)
        #expect(
            answer.replacing("0.981584", with: "0.981583").replacing("0.018417", with: "0.018416")
                == #"200 {"model_name":"iris","model_version":"1","id":"a\n1","outputs":[\#(label),\#(probabilities)]}"#
        )
        #expect(
            ask(.v2, .iris, #"{\#(inputs),"outputs":[{"name":"label"}]}"#)
                == #"200 {"model_name":"iris","model_version":"1","outputs":[\#(label)]}"#
        )
    }

    @Test func v2Digits() {
        let body = #"{"inputs":[{"name":"x","shape":[1,25],"datatype":"INT64","data":\#(Self.sevenFlat)}]}"#
        #expect(
            ask(.v2, .digits, body)
                == #"200 {"model_name":"digits","model_version":"7","outputs":["#
                + #"{"name":"rotation","datatype":"INT64","shape":[1],"data":[270]},"#
                + #"{"name":"label","datatype":"BYTES","shape":[1],"data":["7"]}]}"#
        )
    }

    // MARK: Bad input

    @Test(arguments: [
        ("", "empty"), ("{", "JSON"), ("[]", "not an object"), ("{}", "features"), (#"{"instances":[]}"#, "not empty"),
        (#"{"instances":3}"#, "an array"), (#"{"instances":[3]}"#, "four numbers"),
        (#"{"features":[1,2,3]}"#, "four numbers"), (#"{"features":[1,2,3,"4"]}"#, "a number should be"),
        (#"{"features":[1,2,3,[4]]}"#, ""), (#"{"features":[1,2,3,1e300]}"#, "too large"),
        (#"{"features":[[],[],[],[]]}"#, "a number should be"), (#"{"instances":[[1,2,3,4],[1,2]]}"#, "four numbers"),
    ])
    func refusesIris(body: String, reason: String) {
        let answer = ask(.native, .iris, body)
        if reason.isEmpty {
            #expect(answer.hasPrefix("200 "), "more nesting does no harm")
        } else {
            #expect(answer.hasPrefix(#"400 {"error":""#) && answer.contains(reason), "\(answer)")
        }
    }

    @Test(arguments: [
        "3", "[]", #"["....."]"#, ###"["....#","....#","....#","....#","...#"]"###,
        ###"["....#","....#","....#","....#","....x"]"###, ###"["....#","....#","....#","....#",1]"###,
        "[0,1]", "[2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", "[[0,0,0,0,0],[0,0,0,0,0]]", "{}", "null",
    ])
    func refusesPictures(image: String) {
        #expect(ask(.native, .digits, #"{"image":\#(image)}"#).hasPrefix(#"400 {"error":""#))
        #expect(ask(.v1, .digits, #"{"instances":[\#(Self.seven),\#(image)]}"#).hasPrefix(#"400 {"error":""#))
    }

    @Test(arguments: [
        #""shape":[2,4],"datatype":"FP64","data":[1,2,3,4]"#, #""shape":[4],"datatype":"FP64","data":[1,2,3,4]"#,
        #""shape":[1,3],"datatype":"FP64","data":[1,2,3]"#, #""shape":[1,4],"datatype":"BYTES","data":["a"]"#,
        #""shape":[1,4],"datatype":"FP64","data":[1,2,3,"4"]"#, #""shape":[1,4],"datatype":"FP64""#,
        #""shape":[0,4],"datatype":"FP64","data":[]"#, #""datatype":"FP64","data":[1,2,3,4]"#,
        #""shape":[1,4],"data":[1,2,3,4]"#, #""shape":[999999999999999999,4],"datatype":"FP64","data":[1,2,3,4]"#,
        #""shape":[1,4],"datatype":"FP64","data":{"a":1}"#, #""shape":[1.0,4],"datatype":"FP64","data":[1,2,3,4]"#,
    ])
    func refusesTensors(members: String) {
        let answer = ask(.v2, .iris, #"{"inputs":[{"name":"x",\#(members)}]}"#)
        #expect(answer.hasPrefix(#"400 {"error":""#), "\(answer)")
    }

    @Test func refusesUnknownOutputs() {
        let inputs = #""inputs":[{"name":"x","shape":[1,4],"datatype":"FP64","data":[1,2,3,4]}]"#
        for outputs in [#"[{"name":"logits"}]"#, "[]", "[1]", "3", "[{}]"] {
            #expect(ask(.v2, .iris, #"{\#(inputs),"outputs":\#(outputs)}"#).hasPrefix("400"), "\(outputs)")
        }
    }

    @Test func describesItself() {
        func describe(_ endpoint: ExampleEndpoint) -> String {
            let out = ByteBuffer()
            responder.describe(endpoint, to: out)
            return out.view.string
        }
        #expect(describe(.modelReady(.iris)) == #"{"name":"iris","ready":true}"#)
        #expect(describe(.live) == #"{"live":true}"#)
        for endpoint in [
            ExampleEndpoint.modelList, .serverMetadata, .modelMetadata(.iris), .modelMetadata(.digits), .ready,
        ] {
            let isJSON = Array(describe(endpoint).utf8).withByteView { (try? JSONOutline().read($0, depth: 0)) != nil }
            #expect(isJSON, "\(endpoint)")
        }
    }
}
