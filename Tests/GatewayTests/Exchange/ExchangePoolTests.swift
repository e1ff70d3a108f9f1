import TestSupport
import Testing

@testable import Gateway

@Suite struct ExchangePoolTests {
    private let lane = FakeLane()
    private let provider: FakeProvider

    init() { provider = FakeProvider(lane: lane) }

    /// Whether a body has room left that a trim would give back.
    private func hasRoom(_ exchange: Exchange) -> Bool { exchange.request.body.capacity > 0 }

    /// Against a stack of free ones; and what nobody has used between two trims has no room after the second.
    @Test(arguments: 0..<30) func `it lends the one that was used last, and trims the others`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let pool = ExchangePool()
        let freed = FreedMemory(clock: ShardClock())
        var used: [Exchange] = []
        var free: [Int] = []
        var count = 0
        // Used since the last trim.
        var touched: Set<Int> = []
        for step in 0..<1_500 {
            switch random.below(10) {
            case 0...4 where used.count < 12:
                let exchange = pool.take(for: provider)
                if let index = free.popLast() {
                    #expect(exchange.index == index, "seed \(seed), step \(step)")
                } else {
                    #expect(exchange.index == count, "seed \(seed), step \(step)")
                    count += 1
                }
                #expect(exchange.state == .receiving && exchange.request.body.isEmpty)
                exchange.request.body.append("body")
                touched.insert(exchange.index)
                used.append(exchange)
            case 5...8 where !used.isEmpty:
                let exchange = used.remove(at: random.below(used.count))
                pool.giveBack(exchange)
                #expect(exchange.state == .idle)
                free.append(exchange.index)
            case 9:
                let mayBeMore = pool.trim(freed)
                let trimmed = free.filter { !touched.contains($0) }
                for index in free { #expect(hasRoom(pool[index]) != trimmed.contains(index), "seed \(seed)") }
                #expect(mayBeMore == (trimmed.count < free.count), "seed \(seed), step \(step)")
                touched = Set(used.map(\.index))
            default: break
            }
            #expect(pool.inUse == used.count)
            for exchange in used { #expect(hasRoom(exchange), "seed \(seed), step \(step)") }
        }
        var shown: Set<Int> = []
        pool.forEachInUse { shown.insert($0.index) }
        #expect(shown == Set(used.map(\.index)))
    }

    /// Whatever a request has left behind, the next one finds nothing of it.
    @Test func `an exchange is lent as if it were new`() {
        let pool = ExchangePool()
        let route = ModelRoute(index: 0, name: "iris", version: nil, modelProtocol: .v2, adapter: FakeAdapter())
        let exchange = pool.take(for: provider)
        exchange.transition(to: .replying)
        exchange.providerContext = 5
        exchange.request.face = .v2
        exchange.request.operation = .predict
        exchange.route = route
        for buffer in [
            exchange.request.body, exchange.request.query, exchange.request.contentType, exchange.request.traceparent,
            exchange.request.wantedVersion, exchange.reply.ownBody,
        ] { buffer.append("old") }
        exchange.request.takeId(ByteView("old"), from: .request)
        exchange.request.headers.append("A", ByteView("1"))
        exchange.reply.headers.append("A", ByteView("1"))
        (exchange.request.hasAccept, exchange.request.isEncoded, exchange.request.jsonLength) = (true, true, 5)
        (exchange.request.receivedAt, exchange.attempt.begunAt, exchange.attempt.sentAt) = (1, 2, 3)
        (exchange.attempt.answeredAt, exchange.reply.completedAt) = (4, 5)
        (exchange.reply.status, exchange.reply.bodySource, exchange.reply.closesConnection) = (502, .answer, true)
        exchange.reply.failure = .timeout
        pool.giveBack(exchange)
        let again = pool.take(for: provider)
        #expect(again === exchange && again.state == .receiving)
        #expect(
            again.providerContext == 0 && again.request.face == .native && again.request.operation == .local
                && again.route == nil
        )
        for buffer in [
            again.request.body, again.request.query, again.request.contentType, again.request.traceparent,
            again.request.wantedVersion,
            again.reply.ownBody, again.request.id,
        ] { #expect(buffer.isEmpty) }
        #expect(again.request.headers.count == 0 && again.reply.headers.count == 0)
        #expect(!again.request.hasAccept && !again.request.isEncoded && again.request.jsonLength == nil)
        #expect(
            [
                again.request.receivedAt, again.attempt.begunAt, again.attempt.sentAt, again.attempt.answeredAt,
                again.reply.completedAt,
            ].allSatisfy { $0 == 0 }
        )
        #expect(again.reply.status == 0 && again.reply.bodySource == .own && !again.reply.closesConnection)
        #expect(again.reply.failure == nil && again.reply.stream == nil)
        // An id of a lesser source is taken again.
        again.request.takeId(ByteView("new"), from: .body)
        #expect(again.request.id.view == "new")
    }

    @Test func `the room of a large body is not kept`() {
        let pool = ExchangePool()
        let exchange = pool.take(for: provider)
        exchange.request.body.reserve(total: 1 << 20)
        exchange.reply.ownBody.reserve(total: 1 << 20)
        pool.giveBack(exchange)
        #expect(exchange.request.body.capacity == Exchange.keptBytes)
        #expect(exchange.reply.ownBody.capacity == Exchange.keptBytes)
    }

    @Test func `another try keeps the request and forgets the call`() {
        let pool = ExchangePool()
        let exchange = pool.take(for: provider)
        exchange.request.body.append("body")
        exchange.request.takeId(ByteView("id"), from: .request)
        exchange.request.headers.append("A", ByteView("1"))
        exchange.request.receivedAt = 1
        (exchange.attempt.begunAt, exchange.attempt.sentAt, exchange.attempt.answeredAt, exchange.reply.completedAt) = (
            2, 3, 4, 5
        )
        ErrorAnswer.write(.notRecorded, to: exchange)
        exchange.transition(to: .calling)
        exchange.transition(to: .retrying)
        exchange.beginAnotherTry()
        #expect(exchange.state == .receiving && exchange.request.receivedAt == 1)
        #expect(exchange.request.body.view == "body" && exchange.request.id.view == "id")
        #expect(exchange.request.headers.count == 1)
        #expect(
            [
                exchange.attempt.begunAt, exchange.attempt.sentAt, exchange.attempt.answeredAt,
                exchange.reply.completedAt,
            ] == [0, 0, 0, 0]
        )
        #expect(exchange.reply.status == 0 && exchange.reply.headers.count == 0 && exchange.reply.ownBody.isEmpty)
        #expect(exchange.reply.failure == nil)
    }
}

/// When a burst is over. Times are counted from the first deadline.
@Suite struct FreedMemoryTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `nothing freed is nothing to look at`() {
        let freed = FreedMemory(clock: ShardClock())
        #expect(freed.nextLook == nil)
        freed.note(0)
        freed.note(-5)
        #expect(freed.nextLook == nil)
        freed.expire(now: .max)
        #expect(freed.nextLook == nil)
    }

    private static let mebibyte = 1 << 20
    /// What is freed in each second, and after how many of them it is looked at no more.
    private static let bursts: [(bytes: [Int], seconds: Int)] = [
        ([100], 1), ([mebibyte - 1], 1), ([mebibyte], 2), ([600_000, 600_000], 1),
        ([mebibyte, mebibyte / 8 - 1], 2), ([mebibyte, mebibyte / 8], 3),
        ([8 * mebibyte, 8 * mebibyte, mebibyte], 3), ([8 * mebibyte, 8 * mebibyte, 8 * mebibyte, mebibyte], 4),
    ]

    @Test(arguments: bursts)
    func `a burst is over when little more is freed`(_ bytes: [Int], _ seconds: Int) throws {
        let freed = FreedMemory(clock: ShardClock())
        freed.note(bytes[0])
        let first = try #require(freed.nextLook)
        freed.expire(now: first - 1)
        #expect(freed.nextLook == first)
        for second in 0..<seconds {
            let now = first + Int64(second) * Self.second
            #expect(freed.nextLook == now, "after \(second) seconds")
            freed.expire(now: now)
            if second + 1 < bytes.count, second + 1 < seconds { freed.note(bytes[second + 1]) }
        }
        #expect(freed.nextLook == nil)
    }
}
