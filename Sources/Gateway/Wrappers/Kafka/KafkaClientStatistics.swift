/// What a Kafka client tells of itself: librdkafka's statistics (STATISTICS.md), of which the latest are kept.
///
/// Written by the client's thread every `statistics.interval.ms`; any thread may read.
final class KafkaClientStatistics: Sendable {
    struct Broker: Sendable, Equatable {
        var name: String
        var isUp: Bool
        /// The mean of the last interval.
        var roundTripSeconds: Double
    }

    struct Reading: Sendable, Equatable {
        /// Messages and bytes that the client holds and has not delivered.
        var queuedMessages = 0
        var queuedBytes = 0
        /// Messages and bytes since the client was made. (A client that failed is replaced, and counts anew.)
        var sentMessages = 0
        var sentBytes = 0
        var receivedMessages = 0
        var receivedBytes = 0
        var brokers: [Broker] = []
    }

    /// The value of the label `client`.
    let client: String
    private let latest = LockedValue<Reading?>(nil)

    init(client: String) { self.client = client }

    /// nil: none have come.
    var reading: Reading? { latest.withLock { $0 } }

    /// Takes the statistics of a `KafkaEvent.statistics`; what is not of their form is passed over.
    func note(_ json: ByteView) {
        let outline = JSONOutline()
        do {
            // The deepest that is looked at: brokers, a broker, its round trips, their mean.
            try outline.read(json, depth: 4)
        } catch {
            return
        }
        var reading = Reading()
        outline.forEachMember(of: 0) { name, value in
            switch name.string {
            case "msg_cnt": reading.queuedMessages = outline.integer(value)
            case "msg_size": reading.queuedBytes = outline.integer(value)
            case "txmsgs": reading.sentMessages = outline.integer(value)
            case "txmsg_bytes": reading.sentBytes = outline.integer(value)
            case "rxmsgs": reading.receivedMessages = outline.integer(value)
            case "rxmsg_bytes": reading.receivedBytes = outline.integer(value)
            case "brokers":
                outline.forEachMember(of: value) { _, broker in
                    if let broker = Self.broker(broker, outline) { reading.brokers.append(broker) }
                }
            default: break
            }
        }
        latest.withLock { $0 = reading }
    }

    /// nil: one of librdkafka's own, such as the group's coordinator, which is one of the others once more.
    private static func broker(_ node: Int, _ outline: JSONOutline) -> Broker? {
        var broker = Broker(name: "", isUp: false, roundTripSeconds: 0)
        var (id, isLogical) = (-1, false)
        outline.forEachMember(of: node) { name, value in
            switch name.string {
            case "nodename": broker.name = outline.isString(value) ? outline.inside(value).string : ""
            case "nodeid": id = outline.integer(value)
            case "source": isLogical = outline.isString(value) && outline.inside(value) == ByteView("logical")
            case "state": broker.isUp = outline.isString(value) && outline.inside(value) == ByteView("UP")
            case "rtt":
                outline.forEachMember(of: value) { name, value in
                    // In microseconds.
                    if name == ByteView("avg") { broker.roundTripSeconds = Double(outline.integer(value)) / 1e6 }
                }
            default: break
            }
        }
        return id >= 0 && !isLogical && !broker.name.isEmpty ? broker : nil
    }
}

extension JSONOutline {
    /// Shows each member of an object; nothing where it is none.
    fileprivate func forEachMember(of node: Int, _ body: (_ name: ByteView, _ value: Int) -> Void) {
        guard isObject(node) else { return }
        var name = node + 1
        for _ in 0..<children(node) {
            let value = after(name)
            body(inside(name), value)
            name = after(value)
        }
    }

    /// A number without fraction; 0 where it is none.
    fileprivate func integer(_ node: Int) -> Int { isNumber(node) ? Int(bytes(node).string) ?? 0 : 0 }
}
