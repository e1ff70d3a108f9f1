import TestSupport
import Testing

@testable import Gateway

/// The adapter's own part of a call: line, deadlines, memory of calls. What carries the bytes is the test's.
@Suite struct HTTPModelServiceAdapterTests {
    private static let timeout: Int64 = 1_000_000_000_000

    // MARK: Line

    @Test(arguments: [1, 2, 5]) func `no more than maxConnections calls are out`(max: Int) throws {
        let rig = try AdapterRig(maxConnections: max)
        for number in 0..<8 { rig.ask(number, at: Int64(number + 1)) }
        #expect(rig.outNumbers == Array(0..<max))
        #expect(rig.flow.inFlight == 8)
        // Each that ends makes room for the first in line.
        for number in 0..<8 {
            rig.finish(number)
            #expect(rig.outNumbers == Array(number + 1..<8).prefix(max).map { $0 })
        }
        #expect(rig.started == Array(0..<8))
        #expect(rig.settle().map(\.status) == [Int](repeating: 200, count: 8))
        #expect(rig.flow.inFlight == 0)
        #expect(rig.transport.cancelled.isEmpty)
    }

    @Test func `what waits in line is not sent, and has no time of being sent`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        rig.ask(0, at: 1)
        rig.ask(1, at: 2)
        #expect(rig.exchange(0).attempt.sentAt > 0)
        #expect(rig.exchange(1).attempt.sentAt == 0)
        rig.finish(0)
        #expect(rig.exchange(1).attempt.sentAt > 0)
        rig.finish(1)
        _ = rig.settle()
    }

    @Test func `a call that failed makes room too`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        rig.ask(0, at: 1)
        rig.ask(1, at: 2)
        rig.finish(0, failure: ExchangeFailure(cause: .reset, message: "gone"))
        #expect(rig.outNumbers == [1])
        rig.finish(1)
        #expect(rig.settle().map(\.status) == [502, 200])
    }

    // MARK: Cancelling

    @Test func `a call that is out is cancelled, and the next one starts`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        for number in 0..<3 { rig.ask(number, at: Int64(number + 1)) }
        rig.flow.clientLeft(rig.exchange(0))
        #expect(rig.transport.cancelled.count == 1)
        #expect(rig.outNumbers == [1])
        rig.finish(1)
        rig.finish(2)
        #expect(rig.settle().map(\.status) == [499, 200, 200])
        #expect(rig.adapter.nextDeadline.map { $0 > Self.timeout + 3 } == true)
    }

    @Test func `a call in line leaves it, and the transport hears nothing of it`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        for number in 0..<4 { rig.ask(number, at: Int64(number + 1)) }
        for number in [2, 1] { rig.flow.clientLeft(rig.exchange(number)) }
        #expect(rig.transport.cancelled.isEmpty)
        #expect(rig.outNumbers == [0])
        rig.finish(0)
        #expect(rig.outNumbers == [3])
        rig.finish(3)
        #expect(rig.started == [0, 3])
        #expect(rig.settle().map(\.status) == [499, 499, 200, 200])
    }

    /// Who does that has lost track of the attempt.
    @Test func `an attempt without a call cannot be cancelled or released`() async {
        await #expect(processExitsWith: .failure) {
            endsWithoutAccount()
            let rig = try AdapterRig(maxConnections: 1)
            rig.adapter.cancel(rig.flow.exchanges.take(for: rig.provider).attempt)
        }
        await #expect(processExitsWith: .failure) {
            endsWithoutAccount()
            let rig = try AdapterRig(maxConnections: 1)
            rig.adapter.release(rig.flow.exchanges.take(for: rig.provider).attempt)
        }
    }

    // MARK: Deadlines

    @Test func `the next deadline is that of the oldest call`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        #expect(rig.adapter.nextDeadline == nil)
        for number in 0..<3 { rig.ask(number, at: 10 * Int64(number + 1)) }
        #expect(rig.adapter.nextDeadline == Self.timeout + 10)
        rig.flow.clientLeft(rig.exchange(1))
        rig.finish(0)
        #expect(rig.adapter.nextDeadline == Self.timeout + 30)
        rig.finish(2)
        #expect(rig.adapter.nextDeadline == nil)
        _ = rig.settle()
    }

    @Test func `the transport's deadline counts as well`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        rig.transport.nextDeadline = 500
        #expect(rig.adapter.nextDeadline == 500)
        rig.ask(0, at: 10)
        #expect(rig.adapter.nextDeadline == 500)
        rig.transport.nextDeadline = .max
        #expect(rig.adapter.nextDeadline == Self.timeout + 10)
        for now in [Int64(499), 500, 501] { rig.adapter.expire(now: now) }
        // It knows by itself whether something of its own is too old.
        #expect(rig.transport.expired == [499, 500, 501])
        rig.adapter.shutDown()
        #expect(rig.transport.shutDowns == 1)
    }

    @Test func `calls end when their time is over, and not before`() throws {
        let rig = try AdapterRig(maxConnections: 2)
        for number in 0..<5 { rig.ask(number, at: 10 * Int64(number + 1)) }
        rig.adapter.expire(now: Self.timeout + 9)
        #expect(rig.transport.cancelled.isEmpty)
        rig.adapter.expire(now: Self.timeout + 10)
        #expect(rig.transport.cancelled.count == 1)
        #expect(rig.outNumbers == [1, 2])
        #expect(rig.settle().map(\.status) == [504])
        // Two that are out and one that waits: the last one, which is not late, starts.
        rig.adapter.expire(now: Self.timeout + 40)
        #expect(rig.outNumbers == [4])
        #expect(rig.settle().map(\.status) == [504, 504, 504])
        rig.finish(4)
        #expect(rig.settle().map(\.status) == [200])
    }

    /// A call that is late would be sent for nothing, and the model would work on it.
    @Test func `what is late in line is never sent`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        for number in 0..<50 { rig.ask(number, at: Int64(number + 1)) }
        rig.adapter.expire(now: Self.timeout + 49)
        #expect(rig.started == [0, 49])
        #expect(rig.settle().map(\.status) == [Int](repeating: 504, count: 49))
        rig.finish(49)
        #expect(rig.settle().map(\.status) == [200])
    }

    private static let limits = [
        "models.3.timeout is 1000s",
        "models.3.timeout is 1000s, and most of it was spent in line for a connection; there are 1 a shard "
            + "(models.3.maxConnections)",
    ]

    /// - Parameter waited: of the time limit, before it was sent; nil: it was not.
    @Test(
        arguments: [
            (0, 0), (timeout / 2, 0), (timeout / 2 + 1, 1), (timeout - 1, 1), (nil, 1),
        ] as [(Int64?, Int)]
    )
    func `a call that spent its time in line says so`(waited: Int64?, limit: Int) throws {
        let rig = try AdapterRig(maxConnections: 1)
        // Long ago, so that the first one's deadline is not of interest.
        if waited == nil { rig.ask(0, at: 1_000) }
        rig.ask(1, at: 1_000)
        if let waited { rig.exchange(1).attempt.sentAt = 1_000 + waited }
        rig.adapter.expire(now: Self.timeout + 1_000)
        let reply = try #require(rig.settle().last)
        #expect(reply.status == 504)
        let body = try JSON(parsing: reply.body)
        #expect(body["error"]?.string == "the Model Service did not answer in time: " + Self.limits[limit])
    }

    // MARK: Answers

    @Test func `an answer longer than allowed names the limit`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        rig.ask(0, at: 1)
        rig.finish(0, failure: ExchangeFailure(cause: .tooLarge, message: "m", detail: ByteView("not this")))
        rig.ask(1, at: 2)
        rig.finish(1, failure: ExchangeFailure(cause: .dns, message: "m", detail: ByteView("no such host")))
        let errors = try rig.settle().map { try JSON(parsing: $0.body)["error"]?.string }
        #expect(errors == ["m: models.3.maxResponseBytes is 64MiB", "m: no such host"])
    }

    @Test(
        arguments: [
            ("", "", false, nil), ("Content-Type: a/b\r\n", "a/b", false, nil),
            ("content-type: a/b; x=y\r\nContent-Encoding: gzip\r\n", "a/b; x=y", true, nil),
            ("Content-Encoding: identity\r\n", "", false, nil), ("CONTENT-ENCODING: IDENTITY\r\n", "", false, nil),
            ("Inference-Header-Content-Length: 12\r\n", "", false, 12),
            ("Inference-Header-Content-Length: 1x\r\n", "", false, nil),
            ("Content-Typo: a/b\r\nContent-Encodinq: br\r\n", "", false, nil),
        ] as [(String, String, Bool, Int?)]
    )
    func `the lines of an answer are read`(_ lines: String, _ type: String, _ isEncoded: Bool, _ json: Int?) throws {
        let rig = try AdapterRig(maxConnections: 1)
        rig.ask(0, at: 1)
        rig.finish(0, status: 202, headers: "HTTP/1.1 202 Accepted\r\n" + lines + "\r\n", body: "the body")
        let answer = try #require(rig.exchange(0).attempt.answer)
        #expect(answer.status == 202)
        #expect(answer.body.view == "the body")
        #expect(answer.contentType.string == type)
        #expect(answer.isEncoded == isEncoded)
        #expect(answer.jsonLength == json)
        _ = rig.settle()
    }

    @Test(arguments: [
        (ModelProtocol.v2, [true, true, true, true]), (.v1, [true, true, false, false]),
        (.native, [true, false, false, false]), (.raw, [true, false, false, false]),
    ])
    func `it can answer what its service has a path for`(_ modelProtocol: ModelProtocol, _ wanted: [Bool]) throws {
        let rig = try AdapterRig(maxConnections: 1, modelProtocol: modelProtocol)
        let operations: [Request.Operation] = [.predict, .modelMetadata, .modelReady, .serverMetadata]
        #expect(operations.map(rig.adapter.canAnswer) == wanted)
        #expect(!rig.adapter.canAnswer(.local))
    }

    // MARK: Calls that are used again

    @Test func `a call is used again, and begins anew`() throws {
        let rig = try AdapterRig(maxConnections: 2)
        rig.ask(0, at: 1)
        let call = rig.call(0)
        rig.finish(0, status: 500, failure: ExchangeFailure(cause: .other, message: "m"), errorText: "old")
        _ = rig.settle()
        #expect(call.attempt == nil && !call.isOut)
        rig.ask(1, at: 2)
        #expect(rig.call(1) === call)
        #expect(call.status == 0 && call.errorText.isEmpty && call.isOut)
        #expect(call.attempt === rig.exchange(1).attempt && call.deadline == Self.timeout + 2)
        // While it is out, another one needs another.
        rig.ask(2, at: 3)
        #expect(rig.call(2) !== call)
        #expect(rig.transport.made == 2)
        for number in 1...2 { rig.finish(number) }
        _ = rig.settle()
        #expect(rig.exchange(1).attempt.call == nil && rig.exchange(1).attempt.answer == nil)
    }

    @Test func `the call that was used last is used next`() throws {
        let rig = try AdapterRig(maxConnections: 3)
        for number in 0..<3 { rig.ask(number, at: Int64(number + 1)) }
        let calls = (0..<3).map { rig.call($0) }
        for number in [1, 2, 0] { rig.finish(number) }
        _ = rig.settle()
        for number in 3..<6 { rig.ask(number, at: Int64(number + 1)) }
        let again = (3..<6).map { rig.call($0) }
        #expect(again[0] === calls[0] && again[1] === calls[2] && again[2] === calls[1])
        for number in 3..<6 { rig.finish(number) }
        _ = rig.settle()
    }

    /// Looked at once a second: what was not needed between two looks is let go of.
    @Test func `calls that nobody needs are let go of`() throws {
        let rig = try AdapterRig(maxConnections: 9)
        for number in 0..<5 { rig.ask(number, at: Int64(number + 1)) }
        for number in 0..<5 { rig.finish(number) }
        _ = rig.settle()
        #expect(rig.transport.alive == 5)
        let first = try #require(rig.adapter.nextDeadline)
        rig.adapter.expire(now: first - 1)
        #expect(rig.adapter.nextDeadline == first)
        // The first look notes that five are not in use.
        rig.adapter.expire(now: first)
        #expect(rig.transport.alive == 5)
        #expect(rig.adapter.nextDeadline == first + 1_000_000_000)
        // Two of them are needed at once, one after the other would be one.
        for number in 5..<7 { rig.ask(number, at: first) }
        for number in 5..<7 { rig.finish(number) }
        _ = rig.settle()
        #expect(rig.transport.made == 5)
        rig.adapter.expire(now: first + 1_000_000_000)
        #expect(rig.transport.alive == 2)
        rig.adapter.expire(now: first + 2_000_000_000)
        #expect(rig.transport.alive == 0)
        // Nothing is left to look at.
        #expect(rig.adapter.nextDeadline == nil)
        #expect(rig.flow.freedMemory.nextLook != nil)
        rig.ask(7, at: first)
        #expect(rig.transport.made == 6)
        rig.finish(7)
        _ = rig.settle()
        #expect(rig.adapter.nextDeadline != nil)
    }

    @Test func `a long answer's memory goes back when the call is released`() throws {
        let memory = BodyMemory(BodyMemoryLimit(bytes: 300_000))
        let rig = try AdapterRig(maxConnections: 1, memory: memory)
        rig.ask(0, at: 1)
        let call = rig.call(0)
        #expect(call.makeRoom(150_000))
        #expect(!memory.take(1))
        rig.finish(0, body: FlowRig.v1(rows: 2))
        #expect(rig.settle().map(\.status) == [200])
        #expect(memory.take(300_000))
        #expect(call.body.capacity <= BodyLoan.freeBytes)
    }

    // MARK: All of it

    /// Against arrays: who is out, who waits, and what becomes of whom.
    @Test(arguments: 0..<40) func `any mixture is a line and a list of deadlines`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let max = 1 + random.below(4)
        let rig = try AdapterRig(maxConnections: max)
        var (out, line): ([Int], [Int]) = ([], [])
        var (sent, begun): ([Int], [Int: Int64]) = ([], [:])
        var ended: [(number: Int, status: Int)] = []
        var (asked, time): (Int, Int64) = (0, 1)
        func startNext() {
            while out.count < max, !line.isEmpty {
                sent.append(line[0])
                out.append(line.removeFirst())
            }
        }
        for step in 0..<400 {
            time += Int64(random.below(3))
            switch random.below(8) {
            case 0...3:
                rig.ask(asked, at: time)
                begun[asked] = time
                line.append(asked)
                asked += 1
            case 4 where !out.isEmpty:
                let number = out.remove(at: random.below(out.count))
                let isGood = random.chance(70)
                ended.append((number, isGood ? 200 : 502))
                // Removed before the end is told: the next one is out by then.
                rig.finish(number, failure: isGood ? nil : ExchangeFailure(cause: .reset, message: "m"))
            case 5 where !out.isEmpty || !line.isEmpty:
                let number = random.pick(out + line)
                out.removeAll { $0 == number }
                line.removeAll { $0 == number }
                ended.append((number, 499))
                rig.flow.clientLeft(rig.exchange(number))
            case 6:
                // Long enough ago for some, for none, or for all.
                let now = Self.timeout + time - Int64(random.below(20))
                let late = (out + line).sorted().filter { (begun[$0] ?? 0) + Self.timeout <= now }
                out.removeAll { late.contains($0) }
                line.removeAll { late.contains($0) }
                ended += late.map { ($0, 504) }
                rig.adapter.expire(now: now)
            default: break
            }
            startNext()
            guard rig.outNumbers.sorted() == out.sorted(), rig.started == sent else {
                Issue.record("seed \(seed), step \(step): \(rig.outNumbers) and not \(out)")
                return
            }
            let next = (out + line).min().flatMap { begun[$0] }.map { $0 + Self.timeout }
            if let next { #expect(rig.adapter.nextDeadline == next, "seed \(seed), step \(step)") }
            if random.chance(10) {
                let replies = rig.settle()
                #expect(
                    replies.map { "\($0.requestId) \($0.status)" }.sorted()
                        == ended.map { "r\($0.number) \($0.status)" }.sorted(),
                    "seed \(seed), step \(step)"
                )
                ended = []
            }
        }
        // What is answered is in flight until it is recorded.
        _ = rig.settle()
        #expect(rig.flow.inFlight == out.count + line.count)
        rig.flow.abortAll()
        #expect(rig.outNumbers.isEmpty)
        _ = rig.settle()
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0)
    }
}
