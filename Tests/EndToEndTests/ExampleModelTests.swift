import TestSupport
import Testing

/// The example Model Service that comes with the Sidecar, behind the Sidecar.
@Suite("Example model", .sidecarLog) struct ExampleModelTests {
    /// A 7 that lies on its side.
    private static let seven = ###"{"image":["....#","##..#","..#.#","...##","....#"]}"###

    private func example(_ more: String...) throws -> SidecarProcess {
        try SidecarProcess(arguments: ["example-model", "--port", "0"] + more)
    }

    @Test func leavesTwoEventsForEachOfAThousandRequests() throws {
        let model = try example("--protocol", "native", "--delay", "0ms")
        let configuration = SidecarConfiguration(
            .init("digits", url: "http://127.0.0.1:\(model.port)/predict/digits"),
            server: ["shards": "2"]
        )
        try withSidecar(configuration) { sidecar in
            let ids = try concurrently(4) { _ in
                let connection = try sidecar.connect()
                return try (0..<250).map { _ -> String? in
                    let response = try connection.exchange(.post("/predictions/digits", json: Self.seven))
                    let body = try response.json()
                    guard response.status == 200, body["id"]?.string == response.requestId,
                        body["predictions"]?.elements?.count == 2
                    else { throw TestFailure("status \(response.status), body \(response.text)") }
                    return response.requestId
                }
            }.flatMap { $0.compactMap { $0 } }
            #expect(Set(ids).count == 1_000)
            #expect(sidecar.stop() == .code(0))

            let events = try sidecar.events()
            #expect(events.count == 2_000)
            #expect(Set(events.map { $0["id"]?.string }).count == 2_000)
            #expect(Set(events.map { $0["data"]?["predictionId"]?.string }).count == 2_000)
            var rows: [String: [Int]] = [:]
            for event in events {
                let data = try data(event)
                let row = try #require(data["rowIndex"]?.int)
                rows[data["requestId"]?.string ?? "none", default: []].append(row)
                let wrong = data["rowCount"] != 2 || data["modelName"]?.string != ["rotate", "digits"][row]
                if wrong { Issue.record("rowCount or modelName: \(event)") }
            }
            #expect(Set(rows.keys) == Set(ids))
            #expect(rows.values.allSatisfy { $0 == [0, 1] })
        }
        #expect(model.stop() == .code(0))
    }

    @Test func answersForEachModel() throws {
        let model = try example("--protocol", "native", "--delay", "0ms")
        let iris = try model.post("/predict/iris", json: #"{"features":[5.1,3.5,1.4,0.2]}"#)
        #expect(iris.status == 200)
        let answer = try iris.json()
        #expect((answer["predictions"]?.elements?.count ?? 1) == 1)
        #expect(answer["value"] != nil || answer["predictions"]?[0]?["value"] != nil)
        let digits = try model.post("/predict/digits", json: Self.seven).json()["predictions"]?.elements ?? []
        #expect(digits.map { $0["modelName"]?.string } == ["rotate", "digits"])
    }

    @Test func failsAsOftenAsAsked() throws {
        let model = try example("--fail-rate", "1")
        let flower = #"{"features":[5.1,3.5,1.4,0.2]}"#
        #expect(try model.post("/predict/iris", json: flower).status >= 500)
        let reliable = try example("--fail-rate", "0")
        #expect(try reliable.post("/predict/iris", json: flower).status == 200)
    }
}
