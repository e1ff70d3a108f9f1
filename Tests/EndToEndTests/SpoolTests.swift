import Foundation
import TestSupport
import Testing

/// At-least-once delivery, as its users see it.
@Suite("Spool", .sidecarLog) struct SpoolTests {
    private let spools = TemporaryDirectory()

    private func configuration(
        _ service: FakeModelService,
        _ spool: [String: String] = [:]
    ) -> SidecarConfiguration {
        let keys = ["path": spools.file("spool"), "fsync": "never"].merging(spool) { $1 }
        let text = keys.map { "\($0.key): \"\($0.value)\"" }.joined(separator: ", ")
        return SidecarConfiguration(
            .init("iris", url: service.url("/")),
            reporting: ["delivery": "at-least-once", "spool": "{ \(text) }"]
        )
    }

    private func spooledBytes(_ sidecar: SidecarProcess) throws -> Double {
        try sidecar.metrics().total("ameron_spool_bytes", [:])
    }

    @Test func keepsWhatCannotBeDelivered() throws {
        let service = try modelService(Sample.native)
        let configuration = configuration(service)
        var ids: [String?] = []
        // A full device takes nothing; who asks is answered nevertheless.
        let file = spools.file("events.jsonl")
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/dev/full")
        try withSidecar(configuration, eventFile: file) { sidecar in
            for _ in 0..<20 {
                let response = try sidecar.post("/predictions/iris")
                #expect(response.status == 200)
                ids.append(response.requestId)
            }
            #expect(try spooledBytes(sidecar) > 0)
            let metrics = try sidecar.metrics()
            #expect(metrics.total("ameron_report_events_total", ["result": "failed"]) == 0)
            #expect(metrics.total("ameron_report_events_total", ["result": "dropped"]) == 0)
        }
        // The next start delivers it, in order.
        try FileManager.default.removeItem(atPath: file)
        try withSidecar(configuration, eventFile: file) { sidecar in
            let events = try sidecar.events(atLeast: 20)
            #expect(events.map { $0["data"]?["requestId"]?.string } == ids)
            #expect(try eventually { try spooledBytes(sidecar) == 0 })
        }
    }

    /// Such an answer's events go to the Reporters in several parts, before the turn of the loop ends.
    @Test(arguments: [false, true])
    func reportsEachRowOfAnAnswerOfManyMegabytes(isDurable: Bool) throws {
        let rows = 20_000
        let values = (0..<rows).map { "\($0)" }.joined(separator: ",")
        let service = try modelService(
            #"{"model_name":"iris","outputs":[{"name":"y","datatype":"INT64","shape":[\#(rows)],"data":[\#(values)]}]}"#
        )
        let keys = ["maxPredictions": "\(rows)"]
        let model = SidecarConfiguration.Model("iris", protocol: "v2", url: service.url("/"), keys)
        var configuration = SidecarConfiguration(model)
        if isDurable { configuration.reporting = self.configuration(service).reporting }
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.post("/v2/models/iris/infer", json: #"{"inputs":[]}"#)
            #expect(response.status == 200)
            let events = try sidecar.events(atLeast: rows).map { $0["data"] }
            #expect(events.map { $0?["rowIndex"]?.int } == Array(0..<rows))
            #expect(events.allSatisfy { $0?["requestId"]?.string == response.requestId })
        }
    }

    /// One answer with more events than there is room: who asked for it is refused, nobody else.
    @Test func isNotFilledByWhatDoesNotFit() throws {
        let rows = 9_000
        let values = (0..<rows).map { "\($0)" }.joined(separator: ",")
        func answer(_ count: Int, _ data: String) -> String {
            #"{"model_name":"iris","outputs":[{"name":"y","datatype":"INT64","shape":[\#(count)],"data":[\#(data)]}]}"#
        }
        let (large, small) = (answer(rows, values), answer(1, "1"))
        let service = try FakeModelService { .json($0.text.contains("large") ? large : small) }
        let model = SidecarConfiguration.Model("iris", protocol: "v2", url: service.url("/"))
        var configuration = SidecarConfiguration(model)
        configuration.reporting = self.configuration(service, ["maxBytes": "3MiB"]).reporting
        try withSidecar(configuration, eventFile: "/dev/full") { sidecar in
            func ask(_ what: String) throws -> HTTPResponse {
                try sidecar.post("/v2/models/iris/infer", json: #"{"inputs":[],"what":"\#(what)"}"#)
            }
            for _ in 0..<5 {
                #expect(try ask("small").status == 200)
                let refused = try ask("large")
                #expect(refused.status == 502)
                #expect(refused.text.contains("reporting.spool.maxBytes"), "\(refused.text)")
                #expect(try ask("small").status == 200)
            }
            #expect(try spooledBytes(sidecar) < 100_000)
            #expect(try sidecar.metrics().total("ameron_spool_refused_events_total") == Double(5 * rows))
            #expect(sidecar.process.standardError.components(separatedBy: "do not fit into the spool").count == 2)
        }
    }

    @Test func refusesRequestsWhenItIsFull() throws {
        let service = try modelService(Sample.native)
        let configuration = configuration(service, ["maxBytes": "1MiB"])
        try withSidecar(configuration, eventFile: "/dev/full") { sidecar in
            let connection = try sidecar.connect()
            var refused: HTTPResponse?
            var answered = 0
            let isFull = try eventually {
                let response = try connection.exchange(.post("/predictions/iris", json: "{}"))
                if response.status == 200 { answered += 1 } else { refused = response }
                return refused != nil
            }
            #expect(isFull)
            #expect(answered > 500)
            #expect(refused?.status == 503)
            #expect(refused?.headers.contains("Retry-After") == true)
            #expect(try JSON(parsing: refused?.body ?? [])["cause"]?.string == "notRecorded")
            #expect(try spooledBytes(sidecar) <= 1_048_576)
            #expect(try sidecar.get("/livez").status == 200)
        }
    }

    @Test func dropsTheOldestWhenItIsFull() throws {
        let service = try modelService(Sample.native)
        let configuration = configuration(service, ["maxBytes": "1MiB", "whenFull": "drop-oldest"])
        try withSidecar(configuration, eventFile: "/dev/full") { sidecar in
            let connection = try sidecar.connect()
            let dropsSome = try eventually {
                for _ in 0..<100 {
                    #expect(try connection.exchange(.post("/predictions/iris", json: "{}")).status == 200)
                }
                return try sidecar.metrics().total("ameron_report_events_total", ["result": "dropped"]) > 0
            }
            #expect(dropsSome)
            #expect(try spooledBytes(sidecar) <= 1_048_576)
        }
    }

    @Test func saysWhyItCannotStart() throws {
        let service = try modelService(Sample.native)
        let file = try spools.write("not a directory", to: "file")
        let yaml = configuration(service, ["path": file]).yaml(eventFile: spools.file("events.jsonl"))
        let result = try SidecarProcess.run(["--config", try spools.write(yaml, to: "sidecar.yaml")])
        #expect(result.status == .code(1))
        #expect(result.error.contains("reporting.spool.path"), "\(result.error)")
        #expect(result.error.contains(file), "\(result.error)")
    }

    @Test func isNotSharedWithAnother() throws {
        let service = try modelService(Sample.native)
        let configuration = configuration(service)
        try withSidecar(configuration) { _ in
            let yaml = configuration.yaml(eventFile: spools.file("events.jsonl"))
            let result = try SidecarProcess.run(["--config", try spools.write(yaml, to: "second.yaml")])
            #expect(result.status == .code(1))
            #expect(result.error.contains(spools.file("spool")), "\(result.error)")
        }
    }
}
