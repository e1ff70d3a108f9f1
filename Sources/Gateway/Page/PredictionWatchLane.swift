/// A shard's end of the `PredictionWatch`: chooses which events the page gets to see. Confined to the shard's thread.
final class PredictionWatchLane: EventObserver {
    /// So many events in so many nanoseconds, however fast the shard is: more than a person can read.
    private static let maxEvents = 50
    private static let window: Int64 = 250_000_000
    /// The most of one batch that answers the page's own requests.
    private static let maxOwnEvents = 16

    private let watch: PredictionWatch
    private let trimmer: EventTrimmer
    private var windowStart: Int64 = 0
    private var allowance = 0

    init(_ watch: PredictionWatch, trimmer: EventTrimmer) {
        self.watch = watch
        self.trimmer = trimmer
    }

    var isWatching: Bool { watch.isWatched() }

    func show(_ batch: EventBatch) {
        let now = Clock.monotonic()
        if now - windowStart >= Self.window { (windowStart, allowance) = (now, Self.maxEvents) }
        let shown = (0..<batch.count).filter { batch[$0].kind.isOnPage }
        let firstShown = shown.count - min(allowance, shown.count)
        allowance -= shown.count - firstShown
        var selection = PredictionWatch.Selection(seen: shown.count)
        for (index, place) in shown.enumerated() {
            let frame = batch[place]
            if frame.requestId.hasPrefix(ByteView(PredictionWatch.ownRequests)) {
                guard selection.own.count < Self.maxOwnEvents, let event = trimmer.trim(frame) else { continue }
                selection.own.append(event)
            } else if index >= firstShown, let event = trimmer.trim(frame) {
                selection.others.append(event)
            }
        }
        watch.keep(selection)
    }
}

@available(*, unavailable)
extension PredictionWatchLane: Sendable {}
