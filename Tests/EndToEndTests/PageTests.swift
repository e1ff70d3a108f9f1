import TestSupport
import Testing

/// The page at `/ui`, and the Predictions that it shows. What it does in a browser: Tests/ui.
@Suite("Page", .sidecarLog) struct PageTests {
    private func withPage(
        answer: String = Sample.native,
        reporting: [String: String] = [:],
        environment: [String: String] = [:],
        _ body: (SidecarProcess) throws -> Void
    ) throws {
        let service = try modelService(answer)
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict")), reporting: reporting)
        try withSidecar(configuration, environment: environment, body)
    }

    /// Asks as the page does, which also has the Sidecar collect from then on.
    private func predictions(_ sidecar: SidecarProcess, after: Int = 0) throws -> (newest: Int, list: [JSON]) {
        let response = try sidecar.get("/ui/predictions?after=\(after)")
        #expect(response.status == 200)
        let answer = try response.json()
        return (try #require(answer["newest"]?.int), try #require(answer["predictions"]?.elements))
    }

    @Test func isOneFileThatTalksToNobodyElse() throws {
        try withPage { sidecar in
            let first = try sidecar.get("/ui")
            #expect(first.status == 200)
            #expect(first.headers["Content-Type"] == "text/html; charset=utf-8")
            #expect(first.headers["Cache-Control"] == "no-store")
            #expect(first.headers["X-Content-Type-Options"] == "nosniff")
            let policy = try #require(first.headers["Content-Security-Policy"])
            #expect(policy.hasPrefix("default-src 'none'; connect-src 'self';"))
            #expect(!policy.contains("unsafe"))
            let nonce = try #require(policy.firstMatch(of: #/script-src 'nonce-([0-9a-f]{32})'/#)).output.1
            #expect(first.text.contains("<script nonce=\"\(nonce)\">"))
            #expect(first.text.contains("<style nonce=\"\(nonce)\">"))
            #expect(!first.text.contains("{nonce}"))
            let second = try sidecar.get("/ui")
            #expect(second.headers["Content-Security-Policy"] != policy)
            let text = first.text
            for loader in [" src=", "url(", "@import", "http://", "https://"] { #expect(!text.contains(loader)) }
            #expect(try sidecar.send(HTTPRequest("POST", "/ui", body: [])).status == 405)
        }
    }

    @Test(arguments: ["/ui", "/ui/predictions"]) func canBeOff(_ path: String) throws {
        try withPage(environment: ["AMERON_UI_ENABLED": "false"]) { sidecar in
            let status = try sidecar.get(path).status
            #expect(status == 404)
        }
    }

    /// The largest number is that of openapi.json.
    @Test(arguments: [("x", 400), ("-1", 400), ("999999999999999999", 200), ("1000000000000000000", 400)])
    func refusesWhatIsNoNumber(after: String, status: Int) throws {
        try withPage { sidecar in
            let answer = try sidecar.get("/ui/predictions?after=\(after)")
            #expect(answer.status == status)
        }
    }

    @Test func showsWhatTheClientGot() throws {
        try withPage { sidecar in
            #expect(try sidecar.post("/predictions/iris").status == 200)
            let missed = try predictions(sidecar).list
            #expect(missed.isEmpty, "nobody was watching")

            let response = try sidecar.post("/predictions/iris", headers: ["X-Request-Id": "ui-1"])
            let shown = try predictions(sidecar)
            let event = try #require(shown.list.first)
            #expect(shown.list.count == 1)
            #expect(event["data"]?["requestId"] == "ui-1")
            let answer = try response.json()
            #expect(event["data"]?["predictionId"] == answer["predictions"]?.elements?.first?["id"])
            #expect(event["data"]?["value"]?["label"] == "setosa")
            let reported = try sidecar.events(atLeast: 2).last
            #expect(event["id"] == reported?["id"])
            #expect(event["time"] == reported?["time"])
            #expect(event["data"] == reported?["data"])

            let news = try predictions(sidecar, after: shown.newest).list
            #expect(news.isEmpty)
        }
    }

    @Test func needsNoReporter() throws {
        let service = try modelService(Sample.native)
        let directory = TemporaryDirectory()
        let file = try directory.write(
            "server: {port: 0, shards: 1}\nmodels: [{name: iris, url: \"\(service.url("/predict"))\"}]\n",
            to: "sidecar.yaml"
        )
        let sidecar = try SidecarProcess(arguments: ["--config", file], directory: directory)
        _ = try predictions(sidecar)
        #expect(try sidecar.post("/predictions/iris").status == 200)
        let shown = try predictions(sidecar)
        #expect(shown.list.count == 1)
        #expect(sidecar.stop() == .code(0))
    }

    @Test(arguments: [false, true]) func showsRequestsWhenAllowed(_ isAllowed: Bool) throws {
        try withPage(
            reporting: ["capture": "body"],
            environment: ["AMERON_UI_SHOWS_REQUESTS": "\(isAllowed)"]
        ) { sidecar in
            _ = try predictions(sidecar)
            let secret = #"{"secret":"\"request\":1}"}"#
            #expect(try sidecar.post("/predictions/iris", json: secret).status == 200)
            #expect(try sidecar.events(atLeast: 1).first?["data"]?["request"]?["secret"] != nil)

            let response = try sidecar.get("/ui/predictions")
            #expect(response.text.contains("secret") == isAllowed)
            let answer = try response.json()
            let data = try #require(answer["predictions"]?.elements?.first?["data"])
            #expect((data["request"] != nil) == isAllowed)
            #expect((data["requestContentType"] != nil) == isAllowed)
            #expect(data["requestId"] != nil)
            #expect(data["completedAt"] != nil)
        }
    }

    @Test(arguments: [false, true]) func showsInputsWhenAllowed(_ isAllowed: Bool) throws {
        try withPage(
            reporting: ["capture": "input"],
            environment: ["AMERON_UI_SHOWS_REQUESTS": "\(isAllowed)"]
        ) { sidecar in
            _ = try predictions(sidecar)
            #expect(try sidecar.post("/predictions/iris", json: #"{"instances":["secret"]}"#).status == 200)
            #expect(try sidecar.events(atLeast: 1).first?["data"]?["input"] == "secret")
            let response = try sidecar.get("/ui/predictions")
            #expect(response.text.contains("secret") == isAllowed)
            let data = try #require(response.json()["predictions"]?.elements?.first?["data"])
            #expect((data["input"] != nil) == isAllowed)
            #expect((data["inputEncoding"] != nil) == isAllowed)
            #expect(data["value"] != nil)
        }
    }

    /// NaN is no JSON: a page that got it would show nothing at all.
    @Test func showsWhatIsNotFinite() throws {
        try withPage(answer: #"{"value":[NaN,1]}"#) { sidecar in
            _ = try predictions(sidecar)
            #expect(try sidecar.post("/predictions/iris").status == 200)
            let data = try predictions(sidecar).list.first?["data"]
            #expect(data?["value"] == [.null, 1])
            #expect(data?["nonFinite"] == ["value"])
        }
    }

    @Test func keepsABoundedNumber() throws {
        let rows = (0..<3_000).map { #"{"value":\#($0)}"# }.joined(separator: ",")
        try withPage(answer: #"{"predictions":[\#(rows)]}"#) { sidecar in
            _ = try predictions(sidecar)
            #expect(try sidecar.post("/predictions/iris", headers: ["X-Request-Id": "ui-1"]).status == 200)
            for _ in 0..<3 { #expect(try sidecar.post("/predictions/iris").status == 200) }
            let shown = try predictions(sidecar)
            #expect((1...464).contains(shown.list.count))
            let own = shown.list.filter { $0["data"]?["requestId"] == "ui-1" }
            #expect((1...64).contains(own.count), "others do not push out what the page asked for")
            #expect(try sidecar.get("/ui/predictions").body.count < 2 << 20)
        }
    }

    @Test func leavesOutWhatIsLong() throws {
        let long = String(repeating: "x", count: 20_000)
        try withPage(answer: #"{"value":"\#(long)"}"#) { sidecar in
            _ = try predictions(sidecar)
            #expect(try sidecar.post("/predictions/iris").status == 200)
            let shown = try predictions(sidecar)
            let data = try #require(shown.list.first?["data"])
            #expect(data["value"] == JSON.null)
            #expect(data["omitted"] == .array(["value"]))
        }
    }
}
