import TestSupport
import Testing

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
            #expect(bounds.min() == 0.0001)
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

    @Test func countsFailuresByCode() throws {
        let service = try FakeModelService.refusing()
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict")))
        try withSidecar(configuration) { sidecar in
            let status = try sidecar.post("/predictions/iris").status
            #expect(status == 502)
            #expect(try sidecar.metrics().total("ameron_requests_total", ["model": "iris", "code": "502"]) == 1)
        }
    }
}
