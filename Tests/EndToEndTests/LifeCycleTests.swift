import Foundation
import TestSupport
import Testing

/// From start to stop: nothing that was accepted is lost.
@Suite("Life cycle", .sidecarLog) struct LifeCycleTests {
    @Test(arguments: [SIGTERM, SIGINT], [1, 2])
    func finishesWhatIsInFlight(_ signal: Int32, _ shards: Int) throws {
        let gate = Gate()
        let service = try FakeModelService { _ in .json(#"{"predictions":[{"value":1},{"value":2}]}"#).after(gate) }
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/"), ["timeout": "100s"]),
            server: ["shards": "\(shards)", "drainTimeout": "100s"]
        )
        try withSidecar(configuration) { sidecar in
            // One more than are asked: a question that is answered as the drain begins may be the last on its connection.
            var operations = try (0..<2).map { _ in try sidecar.connect() }
            let late = try sidecar.connect()
            for connection in operations + [late] {
                #expect(try connection.exchange(.get("/livez")).status == 200)
            }
            let clients = startConcurrently(100) { _ in try sidecar.post("/predictions/iris") }
            defer { gate.open() }
            #expect(eventually { service.calls.count == 100 })

            sidecar.send(signal: signal)
            // Readiness turns first, and can still be asked for over a connection that was there before.
            let isUnready = try eventually {
                let answer = try #require(operations.last).exchange(.get("/readyz"))
                if answer.status == 200, answer.headers["Connection"] == "close" { operations.removeLast() }
                return answer.status == 503
            }
            #expect(isUnready)
            let refused = try late.exchange(.post("/predictions/iris", json: "{}"))
            #expect(refused.status == 503)
            #expect(refused.headers.contains("Retry-After"))
            #expect(eventually { (try? sidecar.connect()) == nil }, "still accepts connections")
            #expect(sidecar.process.exitStatus == nil)

            gate.open()
            let responses = try clients.results()
            #expect(responses.filter { $0.status == 200 }.count == 100)
            #expect(sidecar.waitForExit() == .code(0))
            let events = try sidecar.events().filter { $0["data"]?["status"] == 200 }
            #expect(events.count == 200)
            #expect(Set(events.map { $0["data"]?["requestId"]?.string }) == Set(responses.map(\.requestId)))
        }
    }

    @Test func doesNotDrainForEver() throws {
        let service = try FakeModelService { _ in .hang }
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/"), ["timeout": "1000s"]),
            server: ["drainTimeout": "300ms"]
        )
        try withSidecar(configuration) { sidecar in
            let clients = startConcurrently(3) { _ in try? sidecar.post("/predictions/iris").status }
            #expect(eventually { service.calls.count == 3 })
            sidecar.send(signal: SIGTERM)
            // Long before the default of 25 s.
            #expect(sidecar.waitForExit(within: 15) == .code(0))
            // They are told, or cut off.
            #expect(try clients.results().allSatisfy { $0 != 200 })
            let events = try sidecar.events()
            #expect(events.count == 3)
            #expect(events.allSatisfy { $0["data"]?["error"]?["cause"]?.string != nil })
        }
    }

    @Test func doesNotWaitForIdleClients() throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/")),
            server: ["drainTimeout": "1000s", "shards": "2"]
        )
        try withSidecar(configuration) { sidecar in
            let idle = try sidecar.connect()
            #expect(try idle.exchange(.post("/predictions/iris", json: "{}")).status == 200)
            let silent = try sidecar.connect()
            sidecar.send(signal: SIGTERM)
            #expect(sidecar.waitForExit() == .code(0))
            #expect(try idle.isClosedByServer())
            #expect(try silent.isClosedByServer())
        }
    }

    @Test func reopensItsFile() throws {
        let service = try modelService(Sample.native)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/")))) { sidecar in
            for _ in 0..<5 { #expect(try sidecar.post("/predictions/iris").status == 200) }
            _ = try sidecar.events(atLeast: 5)
            let moved = sidecar.directory.file("moved.jsonl")
            try FileManager.default.moveItem(atPath: sidecar.eventFile, toPath: moved)
            sidecar.send(signal: SIGHUP)
            #expect(eventually { FileManager.default.fileExists(atPath: sidecar.eventFile) })
            let last = try sidecar.post("/predictions/iris")
            let events = try sidecar.events(atLeast: 1)
            #expect(events.count == 1)
            #expect(events.first?["data"]?["requestId"]?.string == last.requestId)
            #expect(try SidecarProcess.events(in: moved).count == 5)
        }
    }

    @Test func rotatesItsFile() throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/")),
            file: ["maxBytes": "4KiB", "keep": "100"]
        )
        try withSidecar(configuration) { sidecar in
            for _ in 0..<50 { #expect(try sidecar.post("/predictions/iris").status == 200) }
            #expect(sidecar.stop() == .code(0))
            let names = try FileManager.default.contentsOfDirectory(atPath: sidecar.directory.path)
                .filter { $0.hasPrefix("events.jsonl") }
            #expect(names.contains("events.jsonl.1"))
            let events = try names.flatMap { try SidecarProcess.events(in: sidecar.directory.file($0)) }
            #expect(events.count == 50)
            #expect(Set(events.map { $0["id"]?.string }).count == 50)
        }
    }

    @Test func sharesItsFileWithAnother() throws {
        let service = try modelService(#"{"predictions":[{"value":1},{"value":2}]}"#)
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/")), server: ["shards": "2"])
        try withSidecar(configuration) { first in
            try withSidecar(configuration, eventFile: first.eventFile) { second in
                let statuses = try concurrently(8) { index in
                    let connection = try (index % 2 == 0 ? first : second).connect()
                    return try (0..<50).map { _ in
                        try connection.exchange(.post("/predictions/iris", json: "{}")).status
                    }
                }
                #expect(statuses.allSatisfy { $0.allSatisfy { $0 == 200 } })
            }
            #expect(first.stop() == .code(0))
            let events = try first.events()
            #expect(events.count == 800)
            #expect(Set(events.map { $0["id"]?.string }).count == 800)
        }
    }

    @Test func servesOnSeveralShards() throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/")), server: ["shards": "3"])
        try withSidecar(configuration) { sidecar in
            let statuses = try concurrently(30) { _ in
                let connection = try sidecar.connect()
                return try (0..<10).map { _ in
                    try connection.exchange(.post("/predictions/iris", json: "{}")).status
                }
            }
            #expect(statuses.allSatisfy { $0 == Array(repeating: 200, count: 10) })
            #expect(try sidecar.metrics().total("ameron_requests_total", ["code": "200", "model": "iris"]) == 300)
            #expect(try sidecar.events(atLeast: 300).count == 300)
        }
    }

    @Test func dropsEventsRatherThanRequests() throws {
        // What can never be written: a full device.
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/")),
            reporting: ["maxQueueBytes": "2KiB"]
        )
        try withSidecar(configuration, eventFile: "/dev/full") { sidecar in
            for _ in 0..<50 { #expect(try sidecar.post("/predictions/iris").status == 200) }
            let lost = try eventually {
                let metrics = try sidecar.metrics()
                let failed = metrics.total("ameron_report_events_total", ["result": "failed"])
                return failed + metrics.total("ameron_report_events_total", ["result": "dropped"]) > 0
            }
            #expect(lost)
            #expect(try sidecar.metrics().total("ameron_report_events_total", ["result": "sent"]) == 0)
        }
    }
}
