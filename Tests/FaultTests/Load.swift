import Foundation
import TestSupport

@testable import Gateway

/// Requests over REST at a steady rate, from several clients that come back when their Sidecar is gone.
final class RESTLoad: Sendable {
    struct Answer: Sendable {
        var id: String
        /// From when the request was due.
        var latency: Duration
        var due: ContinuousClock.Instant
    }

    private let stopped = Locked(false)
    private let state = Locked(State())
    private let clients: Locked<RunningThreads<Void>?> = Locked(nil)

    private struct State {
        var port: UInt16?
        var answers: [Answer] = []
        var refusals: [Int: Int] = [:]
    }

    init(port: UInt16?, clients count: Int = 4, perSecond: Double) {
        state.withLock { $0.port = port }
        clients.withLock { $0 = startConcurrently(count) { [unowned self] in run($0, perSecond / Double(count)) } }
    }

    /// Where the Sidecar is now; nil: there is none.
    func setPort(_ port: UInt16?) { state.withLock { $0.port = port } }

    /// What was answered with 200.
    var answers: [Answer] { state.withLock { $0.answers } }
    var count: Int { state.withLock { $0.answers.count } }
    /// How often each other status came.
    var refusals: [Int: Int] { state.withLock { $0.refusals } }

    func stop() throws {
        stopped.withLock { $0 = true }
        _ = try clients.withLock { $0 }?.results()
    }

    private func run(_ client: Int, _ perSecond: Double) {
        var pacer = Pacer(perSecond: perSecond)
        var connection: (HTTPConnection, UInt16)?
        var number = 0
        while !stopped.withLock({ $0 }) {
            pacer.wait()
            guard let port = state.withLock({ $0.port }) else { continue }
            if connection?.1 != port { connection = nil }
            let id = "rest-\(client)-\(number)"
            number += 1
            do {
                let open = try connection?.0 ?? HTTPConnection(port: port)
                connection = (open, port)
                let response = try open.exchange(
                    .post(
                        "/predictions/iris",
                        json: #"{"instances":[[5.1,3.5,1.4,0.2]]}"#,
                        headers: ["X-Request-Id": id]
                    )
                )
                let answer = Answer(id: id, latency: ContinuousClock.now - pacer.due, due: pacer.due)
                state.withLock {
                    if response.status == 200 {
                        $0.answers.append(answer)
                    } else {
                        $0.refusals[response.status, default: 0] += 1
                    }
                }
            } catch {
                // It was killed: the answer did not come, so nothing was promised.
                connection = nil
            }
        }
    }
}

/// Requests over Kafka at a steady rate, each with its number within its key; notes where the broker has put each.
final class RequestLoad: Sendable {
    struct Request: Sendable {
        var id: String
        var partition: Int32
        var offset: Int64
    }

    private let stopped = Locked(false)
    private let accepted = Locked<[Request]>([])
    private let sender: Locked<RunningThreads<Void>?> = Locked(nil)

    /// - Parameter inParts: whether streamed answers are asked for in parts.
    init(_ bootstrap: String, keys: Int = 16, perSecond: Double, inParts: Bool = false) {
        sender.withLock {
            $0 = startConcurrently(1) { [unowned self] _ in try run(bootstrap, keys, perSecond, inParts) }
        }
    }

    /// What the broker has taken.
    var requests: [Request] { accepted.withLock { $0 } }
    var count: Int { accepted.withLock { $0.count } }

    /// Ends the sending; every request sent has been taken.
    func stop() throws {
        stopped.withLock { $0 = true }
        _ = try sender.withLock { $0 }?.results(within: 120)
    }

    private func run(_ bootstrap: String, _ keys: Int, _ perSecond: Double, _ inParts: Bool) throws {
        let producer = try KafkaProducer(
            settings: KafkaSettings([
                ("bootstrap.servers", bootstrap), ("acks", "all"), ("linger.ms", "1"), ("message.timeout.ms", "0"),
                ("max.in.flight", "1"), ("reconnect.backoff.max.ms", "500"), ("request.timeout.ms", "2000"),
                ("socket.timeout.ms", "3000"),
            ]),
            wake: nil
        )
        let topic = try producer.topic(KafkaWorld.requestTopic)
        let headers = KafkaHeaderList()
        func send(_ number: Int) throws {
            let id = Array(Self.id(number, keys).utf8)
            let key = Array("key-\(number % keys)".utf8)
            headers.removeAll()
            if inParts { headers.append("ameron-stream", ByteView("parts")) }
            try id.withByteView { id in
                headers.append("correlation-id", id)
                headers.append("x-request-id", id)
                try key.withByteView { key in
                    try producer.produce(
                        to: topic,
                        key: key,
                        value: ByteView(#"{"instances":[[5.1,3.5,1.4,0.2]]}"#),
                        headers: headers,
                        ticket: number
                    )
                }
            }
        }
        func poll() {
            _ = producer.poll { event in
                // An error that is meant for the Sidecar may meet this producer: then there never was that request.
                guard case .delivered(let delivery) = event, delivery.error == nil else { return }
                let request = Request(
                    id: Self.id(delivery.ticket, keys),
                    partition: delivery.partition,
                    offset: delivery.offset
                )
                accepted.withLock { $0.append(request) }
            }
        }
        var pacer = Pacer(perSecond: perSecond)
        var number = 0
        while !stopped.withLock({ $0 }) {
            pacer.wait()
            try send(number)
            number += 1
            poll()
        }
        let isAllTaken = eventually(within: 100) {
            poll()
            return producer.pendingCount == 0
        }
        guard isAllTaken else { throw TestFailure("the broker took \(count) of \(number) requests") }
    }

    /// Which key, and which number within it.
    private static func id(_ number: Int, _ keys: Int) -> String { "kafka-\(number % keys)-\(number / keys)" }
}
