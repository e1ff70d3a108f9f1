/// The answers of a shard that go on to their clients as they come, as far as there is something to do for them.
final class StreamList {
    /// More of them are made anew each time.
    private static let maxSpare = 64

    /// Exchanges whose stream has news: something has come, or has ended.
    private(set) var listed: [Exchange] = []
    /// Exchanges whose adapter is to read on.
    private var waiting: [Exchange] = []
    /// Those of either list that are gone through.
    private var current: [Exchange] = []
    private var spare: [AnswerStream] = []
    let memory: BodyMemory?

    init(memory: BodyMemory?) { self.memory = memory }

    /// Whether either list has anybody: a word of its own, since it is asked several times a turn.
    private(set) var hasWork = false

    func take() -> AnswerStream { spare.popLast() ?? AnswerStream() }

    /// The exchange's stream is over, and nobody takes from it any more.
    func release(_ exchange: Exchange) {
        guard let stream = exchange.stream else { return }
        exchange.stream = nil
        stream.reset()
        if spare.count < Self.maxSpare { spare.append(stream) }
    }

    func list(_ exchange: Exchange, _ stream: AnswerStream) {
        guard !stream.isListed else { return }
        stream.isListed = true
        hasWork = true
        listed.append(exchange)
    }

    /// Empties the list, and shows each that was in it. More may be listed meanwhile.
    func takeListed(_ body: (Exchange, AnswerStream) -> Void) {
        swap(&listed, &current)
        for exchange in current {
            guard let stream = exchange.stream else { continue }
            stream.isListed = false
            body(exchange, stream)
        }
        current.removeAll(keepingCapacity: true)
        hasWork = !listed.isEmpty || !waiting.isEmpty
    }

    func readOn(_ exchange: Exchange) {
        hasWork = true
        waiting.append(exchange)
    }

    /// The same of those whose adapter is to read on.
    func takeWaiting(_ body: (Exchange, AnswerStream) -> Void) {
        guard !waiting.isEmpty else { return }
        swap(&waiting, &current)
        for exchange in current {
            if let stream = exchange.stream { body(exchange, stream) }
        }
        current.removeAll(keepingCapacity: true)
    }
}

@available(*, unavailable)
extension StreamList: Sendable {}
