import TestSupport
import Testing

@testable import Gateway

@Suite struct CallQueueTests {
    private static func makeCall(_ number: Int) -> HTTPCall {
        let call = HTTPCall(0, body: ByteBuffer(capacity: 1), headers: ByteBuffer(capacity: 1))
        call.status = number
        return call
    }

    private func drain<Order>(_ queue: inout CallQueue<Order>) -> [Int] {
        var order: [Int] = []
        while let call = queue.first, order.count < 1_000 {
            order.append(call.status)
            queue.remove(call)
        }
        return order
    }

    /// A call stands in both lists at once, in different places.
    @Test(arguments: 0..<30) func `two lists of the same calls are two arrays`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let calls = (0..<1 + random.below(12)).map(Self.makeCall)
        var line = CallQueue<LineOrder>()
        var deadlines = CallQueue<DeadlineOrder>()
        var (inLine, byDeadline): ([Int], [Int]) = ([], [])
        for step in 0..<2_000 {
            let call = random.pick(calls)
            let number = call.status
            switch random.below(4) {
            case 0 where !inLine.contains(number):
                line.append(call)
                inLine.append(number)
            case 1 where !byDeadline.contains(number):
                deadlines.append(call)
                byDeadline.append(number)
            // Also of calls that are not in.
            case 2:
                line.remove(call)
                inLine.removeAll { $0 == number }
            case 3:
                deadlines.remove(call)
                byDeadline.removeAll { $0 == number }
            default: break
            }
            guard line.first?.status == inLine.first, deadlines.first?.status == byDeadline.first else {
                Issue.record("seed \(seed), step \(step)")
                return
            }
            if random.chance(2) {
                #expect(drain(&line) == inLine, "seed \(seed), step \(step)")
                inLine = []
            }
        }
        #expect(drain(&line) == inLine)
        #expect(drain(&deadlines) == byDeadline)
    }
}

/// The memory that the body of one answer borrows.
@Suite struct HTTPCallTests {
    private let rig = FlowRig()

    private func makeCall(_ memory: BodyMemory?, face: Face = .v1) throws -> HTTPCall {
        let call = HTTPCall(0, body: ByteBuffer(capacity: 16), headers: ByteBuffer(capacity: 16))
        let exchange = try #require(rig.ask(1, face: face))
        call.attempt = exchange.attempt
        call.memory = memory
        return call
    }

    private func fill(_ call: HTTPCall, _ count: Int) {
        call.body.append(contentsOf: [UInt8](repeating: 0x20, count: count))
    }

    @Test func `without a limit, and while it is short, nothing is borrowed`() throws {
        let free = BodyLoan.freeBytes
        let unbounded = try makeCall(nil)
        #expect(unbounded.makeRoom(1 << 40))
        #expect(unbounded.letGo() == 0)
        let call = try makeCall(BodyMemory(BodyMemoryLimit(bytes: 0)))
        #expect(call.makeRoom(free, expected: free))
        fill(call, free)
        #expect(call.makeRoom(0))
        #expect(!call.makeRoom(1))
        #expect(call.letGo() == 0)
    }

    @Test(arguments: [
        // What is asked for, what is certain to come, and what is borrowed for one copy: twice as much as is needed, or all
        // that is certain.
        (Face.v1, 100_000, 0, 200_000), (.v1, 100_000, 150_000, 150_000), (.v1, 100_000, 70_000, 100_000),
        (.v2, 100_000, 0, 200_000), (.native, 100_000, 0, 400_000), (.native, 100_000, 150_000, 300_000),
    ])
    func `a long answer borrows its room, and that of the native one`(
        face: Face,
        more: Int,
        expected: Int,
        borrowed: Int
    ) throws {
        for missing in [0, 1] {
            let memory = BodyMemory(BodyMemoryLimit(bytes: borrowed - missing))
            let call = try makeCall(memory, face: face)
            #expect(call.makeRoom(more, expected: expected) == (missing == 0))
            #expect(call.body.capacity == (missing == 0 ? borrowed / (face == .native ? 2 : 1) : 16))
            #expect(call.letGo() == (missing == 0 ? borrowed : 0))
            // All of it is back.
            #expect(memory.take(borrowed - missing))
        }
    }

    @Test func `an answer that grows borrows what it lacks`() throws {
        let memory = BodyMemory(BodyMemoryLimit(bytes: 500_000))
        let call = try makeCall(memory)
        #expect(call.makeRoom(100_000))
        fill(call, 100_000)
        // 200,000 are there.
        #expect(call.makeRoom(100_000))
        #expect(memory.take(300_000))
        memory.giveBack(300_000)
        fill(call, 100_000)
        #expect(call.makeRoom(1))
        // 400,002 are borrowed: the next step would be more than there is, and what was borrowed stays.
        fill(call, 200_002)
        #expect(!call.makeRoom(1))
        #expect(!memory.take(99_999))
        #expect(memory.take(99_998))
        #expect(call.letGo() == 400_002)
        #expect(call.letGo() == 0)
        #expect(call.body.isEmpty && call.body.capacity == BodyLoan.freeBytes)
        #expect(memory.take(400_002))
    }
}
