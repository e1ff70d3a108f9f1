/// A shard's exchanges: as many as were ever in flight at once, found by their index.
final class ExchangePool {
    private var all: [Exchange] = []
    /// Those not in use; the ones used last are used next.
    private var free: [Int] = []
    /// How many at the bottom of `free` have not been in use since the last `trim`, and how many of these have no room left.
    private var unused = 0
    private var shrunk = 0

    /// How many are in use.
    var inUse: Int { all.count - free.count }

    subscript(index: Int) -> Exchange { all[index] }

    /// An exchange in the state `receiving`.
    func take(for provider: any Provider) -> Exchange {
        let exchange: Exchange
        if let index = free.popLast() {
            exchange = all[index]
            if free.count < unused {
                unused = free.count
                shrunk = min(shrunk, unused)
            }
        } else {
            exchange = Exchange(index: all.count, provider: provider)
            all.append(exchange)
        }
        exchange.begin(for: provider)
        return exchange
    }

    func giveBack(_ exchange: Exchange) {
        exchange.end()
        free.append(exchange.index)
    }

    /// Gives back the room of the exchanges that nobody has needed since the last call. Whether others may be due next time.
    func trim(_ freed: FreedMemory) -> Bool {
        for place in shrunk..<unused { freed.note(all[free[place]].shrink()) }
        shrunk = unused
        unused = free.count
        return shrunk < free.count
    }

    /// Shows each exchange in use. Not for the request path.
    func forEachInUse(_ body: (Exchange) -> Void) {
        for exchange in all where exchange.state != .idle { body(exchange) }
    }
}
