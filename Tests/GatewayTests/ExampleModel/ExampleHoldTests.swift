import Testing

@testable import Gateway

@Suite struct ExampleHoldTests {
    @Test func givesBackInOrderWhenTheTimeIsOver() {
        var hold = ExampleHold(delay: 10)
        for index in 0..<1_000 {
            let exchange = ExampleExchange(index: index)
            exchange.receivedAt = Int64(index)
            hold.append(exchange)
        }
        #expect(hold.nextDeadline == 10)
        #expect(hold.next(now: 9) == nil)
        for index in 0..<1_000 { #expect(hold.next(now: Int64(index) + 10)?.index == index) }
        #expect(hold.nextDeadline == nil && hold.next(now: .max) == nil)
    }
}
