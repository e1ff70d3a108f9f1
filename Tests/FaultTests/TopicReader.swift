import Foundation
import TestSupport

@testable import Gateway

/// Reads a topic from its beginning for as long as it lives, on a thread of its own, and keeps what it has read.
final class TopicReader: Sendable {
    struct Record: Sendable {
        var partition: Int32
        var offset: Int64
        var key: String?
        var headers: [String: String]
        var value: String
    }

    private let records = Locked<[Record]>([])
    private let stopped = Locked(false)
    private let ended = Gate()

    init(_ bootstrap: String, _ topic: String) throws {
        let (records, stopped, ended) = (records, stopped, ended)
        let started = Gate()
        let failure = Locked<(any Error)?>(nil)
        let thread = Thread {
            defer { ended.open() }
            do {
                let consumer = try KafkaConsumer(
                    settings: KafkaSettings([
                        ("bootstrap.servers", bootstrap), ("group.id", "reader"), ("enable.auto.commit", "false"),
                        ("enable.auto.offset.store", "false"), ("auto.offset.reset", "earliest"),
                        ("reconnect.backoff.max.ms", "500"),
                        // A mock broker that is down lets requests go unanswered on connections that stay open.
                        ("socket.timeout.ms", "3000"), ("fetch.wait.max.ms", "200"),
                    ]),
                    wake: nil
                )
                try consumer.assignFromBeginning(topic, timeoutMilliseconds: 20_000)
                started.open()
                while !stopped.withLock({ $0 }) {
                    _ = consumer.poll(limit: 1_000, timeoutMilliseconds: 20) { event in
                        guard case .consumed(let message) = event else { return }
                        records.withLock { $0.append(Self.record(message)) }
                    }
                }
            } catch {
                failure.withLock { $0 = error }
                started.open()
            }
        }
        thread.start()
        _ = started.wait(Deadline())
        if let error = failure.withLock({ $0 }) { throw error }
    }

    deinit {
        stopped.withLock { $0 = true }
        _ = ended.wait(Deadline())
    }

    private static func record(_ message: KafkaMessage) -> Record {
        var headers: [String: String] = [:]
        message.forEachHeader { name, value in headers[name.string] = value?.string }
        return Record(
            partition: message.partition,
            offset: message.offset,
            key: message.key?.string,
            headers: headers,
            value: message.value?.string ?? ""
        )
    }

    /// All that has come so far, in the order of each partition.
    var all: [Record] { records.withLock { $0 } }
    var count: Int { records.withLock { $0.count } }

    /// How often each value of a header has come.
    func counts(of header: String) -> [String: Int] {
        records.withLock { records in
            records.reduce(into: [:]) { counts, record in
                if let value = record.headers[header] { counts[value, default: 0] += 1 }
            }
        }
    }

    /// How often each request id occurs in the events of this topic.
    func countsOfRequests() -> [String: Int] {
        records.withLock { records in
            records.reduce(into: [:]) { counts, record in
                guard let start = record.value.range(of: #""requestId":""#) else { return }
                counts[String(record.value[start.upperBound...].prefix { $0 != "\"" }), default: 0] += 1
            }
        }
    }
}
