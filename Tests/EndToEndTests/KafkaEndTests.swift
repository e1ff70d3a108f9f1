import Foundation
import TestSupport
import Testing

/// The Sidecar's end, where librdkafka's own takes its time or never comes.
@Suite("Kafka Provider's end", .timeLimit(.minutes(20)), .sidecarLog) struct KafkaEndTests {
    private func configuration(_ rig: KafkaRig, _ service: FakeModelService) -> SidecarConfiguration {
        var configuration = SidecarConfiguration(
            .init("iris", url: service.url("/predict")),
            server: ["shards": "2", "drainTimeout": "5s"]
        )
        // So that clients soon hear that a topic is gone; by default they do after 30 s.
        configuration.kafka = rig.keys([
            "topic.metadata.refresh.interval.ms": "200", "topic.metadata.propagation.max.ms": "100",
        ])
        return configuration
    }

    /// librdkafka 2.0.2 never ends a consumer that has heard that its topic is gone (librdkafka#4362, #4667, #4724).
    @Test func endsAfterItsRequestTopicWasDeleted() throws {
        let rig = try KafkaRig()
        let service = try modelService(Sample.native)
        // That the library's threads never end is what this is about.
        let options = ProcessInfo.processInfo.environment["TSAN_OPTIONS"].map { $0 + ":report_thread_leaks=0" }
        let sidecar = try SidecarProcess(
            configuration(rig, service),
            environment: options.map { ["TSAN_OPTIONS": $0] } ?? [:]
        )
        for number in 0..<20 { try rig.send(key: "k\(number)", "{}") }
        try rig.flush()
        #expect(rig.reads { rig.replies.count == 20 })
        rig.setRequests(deleted: true)
        let hasHeard = eventually { sidecar.process.standardError.contains("UNKNOWN_TOPIC_OR_PART") }
        #expect(hasHeard, "\(sidecar.process.standardErrorTail)")
        #expect(sidecar.stop() == .code(0), "\(sidecar.process.standardErrorTail)")
        #expect(sidecar.process.standardError.contains("stopped"))
    }
}
