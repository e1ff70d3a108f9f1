/// Lets requests of one key run one after the other, and all others side by side.
///
/// A chain of waiting requests for each key that has any. Keys are known by a hash: where two share one, they wait for
/// each other, which costs time only.
struct KeyOrder {
    private struct Chain {
        var first: Int
        var last: Int
    }

    private static let none = -1

    private var chains: [UInt64: Chain] = [:]
    /// The request after each one in its chain, by the request's number.
    private var next: [Int] = []

    /// Makes room, so that the path of a request allocates nothing.
    init(capacity: Int = 1_024) { chains.reserveCapacity(capacity) }

    /// How many keys have a request that runs or waits.
    var count: Int { chains.count }

    /// Puts a request at the end of its key's chain; true: it is the first, and may run.
    mutating func enter(_ request: Int, key: UInt64) -> Bool {
        while next.count <= request { next.append(Self.none) }
        next[request] = Self.none
        guard let chain = chains[key] else {
            chains[key] = Chain(first: request, last: request)
            return true
        }
        next[chain.last] = request
        chains[key] = Chain(first: chain.first, last: request)
        return false
    }

    /// Takes a request out of its chain, wherever it stands; the one that may now run, if the first one left.
    mutating func leave(_ request: Int, key: UInt64) -> Int? {
        guard var chain = chains[key] else { return nil }
        if chain.first == request {
            guard next[request] != Self.none else {
                chains[key] = nil
                return nil
            }
            chain.first = next[request]
            chains[key] = chain
            return chain.first
        }
        // Only when requests are dropped: they are looked for from the front.
        var previous = chain.first
        while next[previous] != request {
            precondition(next[previous] != Self.none, "a request leaves the chain that it stands in")
            previous = next[previous]
        }
        next[previous] = next[request]
        if chain.last == request {
            chain.last = previous
            chains[key] = chain
        }
        return nil
    }

    /// The name of a key within one assignment of a partition. Nobody can choose keys that share one.
    static func hash(assignment: Int, key: ByteView) -> UInt64 { key.keyedHash(assignment) }
}
