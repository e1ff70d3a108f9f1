/// The encoded events of one turn of a shard's loop, in order. Emptied and filled again each turn.
final class EventBatch {
    /// Where the parts of one event stand in `bytes`, for Reporters that send them apart (CloudEvents binary mode).
    struct Record {
        /// The whole event as one JSON object and a newline.
        var whole: Range<Int>
        /// The JSON object under `data`.
        var data: Range<Int>
        /// The text of the CloudEvents attributes `id` and `time`, and of `data.requestId` (the inside of a JSON
        /// string).
        var id: Range<Int>
        var time: Range<Int>
        var requestId: Range<Int>
    }

    let bytes = ByteBuffer(capacity: 64 << 10)
    private(set) var records: [Record] = []

    var isEmpty: Bool { records.isEmpty }

    func append(_ record: Record) { records.append(record) }

    func removeAll() {
        bytes.removeAll(keepingAtMost: 4 << 20)
        records.removeAll(keepingCapacity: true)
    }
}
