import Foundation
import TestSupport

@testable import Gateway

/// A batch of events as a shard makes them; the value tells the number, and `key` is the request's id.
func fillEvents(
    _ batch: EventBatch,
    _ numbers: Range<Int>,
    key: (Int) -> String = { "key-\($0 % 7)" },
    source: String = "//host/ameron-sidecar",
    modelName: String = "iris",
    fill: Int = 0
) {
    batch.removeAll()
    let encoder = PredictionEventEncoder(source: source)
    for number in numbers {
        let texts = ["event-\(number)", key(number), modelName].map { Array($0.utf8) }
        let value = Array(#"{"number":\#(number),"fill":"\#(String(repeating: "x", count: fill))"}"#.utf8)
        texts[0].withByteView { id in
            texts[1].withByteView { requestId in
                texts[2].withByteView { modelName in
                    value.withByteView { value in
                        var event = PredictionEvent()
                        event.id = id
                        event.requestId = requestId
                        event.modelName = modelName
                        event.value.bytes = value
                        event.completedAt = 1_795_533_271_123_456_789
                        encoder.encode(event, into: batch)
                    }
                }
            }
        }
    }
}

/// The number in an event's data, or in a whole event.
func eventNumber(_ json: String) throws -> Int {
    let event = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    let data = event?["data"] as? [String: Any] ?? event
    guard let number = (data?["value"] as? [String: Any])?["number"] as? Int else { throw NotAnEvent(text: json) }
    return number
}

struct NotAnEvent: Error {
    let text: String
}

/// A line of a `FailureFile`.
struct FailureLine: Decodable {
    struct Event: Decodable {
        let id: String
    }

    let reporter: String
    let cause: String
    let message: String
    let failedAt: String
    let event: Event

    static func parse(_ line: String) throws -> FailureLine {
        try JSONDecoder().decode(FailureLine.self, from: Data(line.utf8))
    }
}

/// A feed that keeps everything until it is acknowledged, with two lanes: for what Reporters do under at-least-once.
final class DurableFeed: EventFeed {
    let counters = ReporterCounters()
    let wake: ReaderWake
    var isDurable: Bool { true }
    private let lanes = Locked<[[ByteBuffer]]>([[], []])
    private let positions = Locked<[Int64]>([0, 0])

    init() throws { wake = try ReaderWake() }

    /// How far each lane is acknowledged: one more for each event.
    var acknowledged: [Int64] { positions.withLock { $0 } }

    func append(_ batch: EventBatch, lane: Int = 0) {
        for index in 0..<batch.count {
            let copy = ByteBuffer()
            copy.append(batch[index].bytes)
            lanes.withLock { $0[lane].append(copy) }
        }
        wake.eventsCame()
    }

    func makeSource() -> any EventSource { Source(feed: self) }

    private final class Source: EventSource {
        private let feed: DurableFeed
        private var next = [0, 0]

        init(feed: DurableFeed) { self.feed = feed }

        var isDurable: Bool { true }
        var laneCount: Int { 2 }
        var hasEvents: Bool { feed.lanes.withLock { lanes in lanes.indices.contains { next[$0] < lanes[$0].count } } }
        var isBehind: Bool { false }

        func gather(into events: inout [WaitingEvent], limit: Int) {
            var rest = limit
            for lane in next.indices {
                while rest > 0, let buffer = buffer(lane) {
                    guard let frame = EventFrame(in: buffer.view) else { preconditionFailure("made of a frame") }
                    next[lane] += 1
                    rest -= buffer.count
                    events.append(WaitingEvent(frame: frame, lane: lane, end: Int64(next[lane])))
                }
            }
        }

        private func buffer(_ lane: Int) -> ByteBuffer? {
            feed.lanes.withLock { next[lane] < $0[lane].count ? $0[lane][next[lane]] : nil }
        }

        // The feed keeps its bytes as long as it lives.
        func release() {}

        func acknowledge(lane: Int, through position: Int64) {
            feed.positions.withLock {
                precondition(position > $0[lane] && position <= Int64(next[lane]))
                $0[lane] = position
            }
        }

        func close() {}
    }
}
