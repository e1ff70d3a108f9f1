/// The answers of a shard that take longer than about a millisecond, in the order in which they came. The first of them is
/// worked on, a step in each turn of the loop; meanwhile the others only take the room of their bytes.
struct LongAnswers {
    /// From how many bytes on an answer, with the request where that is read too, is long: some 0.3 ms of reading.
    static let minBytes = 128 << 10
    /// From how many Predictions on: some 0.7 ms of writing.
    static let minRows = 1_024
    /// How much is written in one step.
    static let stepRows = 512
    static let stepBytes = 512 << 10

    private var waiting: [Exchange] = []
    /// How many at the front of `waiting` are done with.
    private var done = 0

    var first: Exchange? { done < waiting.count ? waiting[done] : nil }

    mutating func append(_ exchange: Exchange) { waiting.append(exchange) }

    /// The first one is done with.
    mutating func removeFirst() {
        done += 1
        // The rest moves to the front when it is no more than what is gone, so each moves once on the whole.
        guard done * 2 >= waiting.count else { return }
        waiting.removeFirst(done)
        done = 0
    }
}
