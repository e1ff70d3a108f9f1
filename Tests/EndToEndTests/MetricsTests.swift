import Foundation
import TestSupport
import Testing

@testable import Gateway

/// `/metrics`: the names that the contract promises, and what they count.
@Suite("Metrics", .sidecarLog) struct MetricsTests {
    @Test func counts() throws {
        let service = try modelService(#"{"predictions":[{"value":1},{"value":2}]}"#)
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict")))
        try withSidecar(configuration) { sidecar in
            for _ in 0..<3 { #expect(try sidecar.post("/predictions/iris").status == 200) }
            _ = try sidecar.events(atLeast: 6)
            let response = try sidecar.get("/metrics")
            #expect(response.headers["Content-Type"]?.hasPrefix("text/plain") == true)
            let metrics = try PrometheusText(parsing: response.text)

            let labels = ["provider": "rest", "model": "iris", "version": "1", "code": "200"]
            #expect(metrics.total("ameron_requests_total", labels) == 3)
            #expect(metrics.total("ameron_predictions_total", ["model": "iris", "version": "1"]) == 6)
            #expect(metrics.total("ameron_report_events_total", ["result": "sent"]) == 6)
            #expect(metrics.total("ameron_report_events_total", ["result": "failed"]) == 0)
            #expect(metrics.total("ameron_report_events_total", ["result": "dropped"]) == 0)
            #expect(metrics.samples("ameron_report_events_total").allSatisfy { $0.labels["reporter"] != nil })
            #expect(metrics.samples("ameron_report_queue_bytes").allSatisfy { $0.labels["reporter"] != nil })
            #expect(!metrics.samples("ameron_report_queue_bytes").isEmpty)
            #expect(metrics.samples("ameron_inflight").count == 1)
            #expect(metrics.types["ameron_requests_total"] == "counter")
            #expect(metrics.types["ameron_predictions_total"] == "counter")
            #expect(metrics.types["ameron_report_events_total"] == "counter")
            #expect(metrics.types["ameron_inflight"] == "gauge")
            #expect(metrics.types["ameron_report_queue_bytes"] == "gauge")
        }
    }

    @Test(arguments: ["ameron_model_duration_seconds", "ameron_gateway_duration_seconds"])
    func hasHistograms(_ name: String) throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict")))
        try withSidecar(configuration) { sidecar in
            for _ in 0..<3 { #expect(try sidecar.post("/predictions/iris").status == 200) }
            let metrics = try sidecar.metrics()
            #expect(metrics.types[name] == "histogram")
            #expect(metrics.total("\(name)_count") == 3)
            #expect(metrics.total("\(name)_sum") > 0)
            let buckets = metrics.samples("\(name)_bucket")
            let bounds = buckets.compactMap { $0.labels["le"].flatMap { $0 == "+Inf" ? .infinity : Double($0) } }
            #expect(bounds.count == buckets.count)
            #expect(bounds.min() == 0.000005)
            #expect(bounds.filter { $0 != .infinity }.max() == 600)
            #expect(bounds.max() == .infinity)
            #expect(metrics.total("\(name)_bucket", ["le": "+Inf"]) == 3)
            let rising = buckets.map(\.value)
            #expect(rising == rising.sorted())
        }
    }

    @Test func hasDeliveryTimes() throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict")))
        try withSidecar(configuration) { sidecar in
            #expect(try sidecar.post("/predictions/iris").status == 200)
            _ = try sidecar.events(atLeast: 1)
            let counted = try eventually {
                try sidecar.metrics().total("ameron_report_delivery_seconds_count") > 0
            }
            #expect(counted)
        }
    }

    @Test func countsWhatIsInFlight() throws {
        let gate = Gate()
        let service = try FakeModelService { _ in .json(Sample.native).after(gate) }
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict"), ["timeout": "60s"]))
        try withSidecar(configuration) { sidecar in
            let clients = startConcurrently(3) { _ in try sidecar.post("/predictions/iris").status }
            defer { gate.open() }
            #expect(eventually { service.calls.count == 3 })
            #expect(try sidecar.metrics().total("ameron_inflight") == 3)
            gate.open()
            let statuses = try clients.results()
            #expect(statuses == [200, 200, 200])
            #expect(try eventually { try sidecar.metrics().total("ameron_inflight") == 0 })
        }
    }

    /// By status and by cause; and the time of a call that failed is none of those that went well.
    @Test func countsFailures() throws {
        let refusing = try FakeModelService.refusing()
        let hanging = try FakeModelService { _ in .hang }
        let failing = try FakeModelService { _ in .json("{}", status: 503) }
        let garbled = try FakeModelService { _ in .garbage }
        let good = try modelService(Sample.native)
        let configuration = SidecarConfiguration(
            .init("refusing", url: refusing.url("/")),
            .init("hanging", url: hanging.url("/"), ["timeout": "50ms"]),
            .init("failing", url: failing.url("/")),
            .init("garbled", url: garbled.url("/")),
            .init("good", url: good.url("/"))
        )
        try withSidecar(configuration) { sidecar in
            let models = ["refusing", "hanging", "failing", "garbled", "good", "missing"]
            let statuses = try models.map { try sidecar.post("/predictions/\($0)").status }
            #expect(statuses == [502, 504, 503, 502, 200, 404])
            let metrics = try sidecar.metrics()
            let causes = ["refused", "timeout", "modelError", "malformed", nil, "unknownModel"]
            for ((model, status), cause) in zip(zip(models, statuses), causes) {
                let name = model == "missing" ? "" : model
                #expect(metrics.total("ameron_requests_total", ["model": name, "code": "\(status)"]) == 1)
                let labels = ["provider": "rest", "model": name]
                #expect(metrics.total("ameron_failures_total", labels) == (cause == nil ? 0 : 1))
                if let cause { #expect(metrics.total("ameron_failures_total", ["model": name, "cause": cause]) == 1) }
            }
            func count(_ name: String, _ model: String) -> Double { metrics.total("\(name)_count", ["model": model]) }
            for model in ["refusing", "hanging", "failing"] {
                #expect(count("ameron_model_duration_seconds", model) == 0)
                #expect(count("ameron_model_failure_duration_seconds", model) == 1)
                #expect(count("ameron_gateway_duration_seconds", model) == 0)
            }
            #expect(count("ameron_model_duration_seconds", "good") == 1)
            #expect(count("ameron_model_failure_duration_seconds", "good") == 0)
            #expect(count("ameron_gateway_duration_seconds", "good") == 1)
            #expect(count("ameron_gateway_duration_seconds", "garbled") == 0)
        }
    }

    /// Those that every Prometheus client has, and what was built.
    @Test func tellsOfTheProcess() throws {
        let service = try modelService(Sample.native)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/")))) { sidecar in
            let metrics = try sidecar.metrics()
            #expect(metrics.total("ameron_build_info", ["version": Version.current]) == 1)
            #expect(metrics.samples("ameron_build_info").first?.labels["libraries"]?.contains("libcurl/") == true)
            #expect(metrics.total("process_cpu_seconds_total") > 0)
            #expect(metrics.total("process_resident_memory_bytes") > 1_000_000)
            #expect(metrics.total("process_virtual_memory_bytes") > metrics.total("process_resident_memory_bytes"))
            #expect((10...1_000).contains(metrics.total("process_open_fds")))
            #expect(metrics.total("process_max_fds") >= metrics.total("process_open_fds"))
            let age = Date().timeIntervalSince1970 - metrics.total("process_start_time_seconds")
            #expect(age > -1 && age < 600)
            #expect(metrics.types["process_cpu_seconds_total"] == "counter")
        }
    }

    /// The page is made as it is sent, and comes whole to every kind of client.
    @Test(arguments: ["HTTP/1.1", "HTTP/1.0"]) func comesWholeWithManyModels(_ version: String) throws {
        let service = try modelService(Sample.native)
        var configuration = SidecarConfiguration(.init("model-0", url: service.url("/")))
        for index in 1..<200 { configuration.models.append(.init("model-\(index)", url: service.url("/"))) }
        try withSidecar(configuration) { sidecar in
            for index in 0..<200 { #expect(try sidecar.post("/predictions/model-\(index)").status == 200) }
            let connection = try sidecar.connect()
            try connection.send("GET /metrics \(version)\r\nHost: localhost\r\n\r\n")
            let response = try connection.response()
            #expect(response.body.count > 500_000)
            let metrics = try PrometheusText(parsing: response.text)
            #expect(metrics.total("ameron_model_duration_seconds_count") == 200)
            #expect(metrics.samples("ameron_model_duration_seconds_count").count == 200)
            #expect(metrics.total("ameron_predictions_total") == 200)
            #expect(try sidecar.send(HTTPRequest("HEAD", "/metrics")).body.isEmpty)
        }
    }
}
