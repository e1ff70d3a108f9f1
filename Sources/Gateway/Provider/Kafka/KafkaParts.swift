/// Where an answer that goes out in parts has come to (`ameron-stream: parts`).
///
/// Until the broker has the first part, no other is sent: then it is known in which partition the parts are, also where there is
/// no key, and that the topic takes them.
struct KafkaParts {
    /// Of one answer, so many parts and bytes may be under way; the next part waits in the adapter, and at last the Model Service.
    static let maxUnderWay = 64
    static let maxBytesUnderWay = 256 << 10
    /// What a part's own headers take beside those of its request; an estimate.
    static let headerBytes = 256

    /// Whether the request asks for them.
    var areWanted = false
    /// How many there are so far: the number of the next one.
    var count = 0
    /// Where they are; nil: nothing is at the broker yet.
    var partition: Int32?
    /// With the producer, or held for it.
    private(set) var underWay = 0
    private(set) var bytesUnderWay = 0
    /// One of them is to be sent again later: nothing may overtake it.
    private var isDelayed = false
    /// The flow has told of the end: the final record follows the last part.
    var hasEnd = false
    /// Why no more parts are sent, though the answer may be well: the broker does not take them.
    var failure: ExchangeFailure?

    /// Whether another part may be sent.
    ///
    /// - Parameter hasRoom: whether there is room beside what all others have under way. One part of each answer needs none: else
    ///   answers might wait for each other.
    func mayGo(hasRoom: Bool) -> Bool {
        if underWay == 0 { return true }
        return hasRoom && partition != nil && !isDelayed && underWay < Self.maxUnderWay
            && bytesUnderWay < Self.maxBytesUnderWay
    }

    mutating func sent(_ bytes: Int) {
        count += 1
        underWay += 1
        bytesUnderWay += bytes
    }

    mutating func delay() { isDelayed = true }

    mutating func settled(_ bytes: Int) {
        underWay -= 1
        bytesUnderWay -= bytes
        if underWay == 0 { isDelayed = false }
    }
}

@available(*, unavailable)
extension KafkaParts: Sendable {}
