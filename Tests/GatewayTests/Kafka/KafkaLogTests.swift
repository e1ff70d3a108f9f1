import Logging
import TestSupport
import Testing

@testable import Gateway

@Suite("Kafka Provider's log") struct KafkaLogTests {
    private struct Handler: LogHandler {
        let lines: Locked<[String]>
        var logLevel = Logger.Level.debug
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.withLock { $0.append("\(event.level) \(event.message)") } }
    }

    @Test func `secrets are cut out of what librdkafka says`() {
        let lines = Locked<[String]>([])
        let settings = KafkaSettings([("sasl.username", "ada"), ("sasl.password", "open sesame")])
        let log = KafkaLog(Logger(label: "test") { _ in Handler(lines: lines) }, secrets: settings.secrets)
        log.note(.log(level: 3, facility: "FAIL", message: "ada may not come in with open sesame"))
        #expect(lines.withLock { $0 } == ["warning Kafka Provider: FAIL: ada may not come in with (value)"])
    }
}
