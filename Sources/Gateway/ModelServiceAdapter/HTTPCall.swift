/// A call to a Model Service: its transfer, and its places in the adapter's lists. Used for call after call.
final class HTTPCall {
    let transfer: CurlTransfer
    var exchange: Exchange?
    /// Nanoseconds of the monotonic clock.
    var deadline: Int64 = 0
    /// Whether the transfer is with libcurl.
    var isOut = false
    /// Whether the transfer was pointed at something else than the prediction URL.
    var hasOtherURL = false
    fileprivate var byDeadline = CallPlace()
    fileprivate var inLine = CallPlace()

    init(transfer: CurlTransfer) {
        self.transfer = transfer
        transfer.owner = self
    }
}

/// The neighbours of a call in one list. Not retained: a call leaves its lists before it goes anywhere else.
struct CallPlace {
    unowned(unsafe) var previous: HTTPCall?
    unowned(unsafe) var next: HTTPCall?
    var isLinked = false
}

/// Which of a call's places a list is made of.
protocol CallOrder {
    static func place(of call: HTTPCall) -> CallPlace
    static func setPlace(of call: HTTPCall, _ place: CallPlace)
}

/// All calls that are not over, in the order in which their time runs out.
enum DeadlineOrder: CallOrder {
    static func place(of call: HTTPCall) -> CallPlace { call.byDeadline }
    static func setPlace(of call: HTTPCall, _ place: CallPlace) { call.byDeadline = place }
}

/// The calls that wait for a connection, in the order in which they came.
enum LineOrder: CallOrder {
    static func place(of call: HTTPCall) -> CallPlace { call.inLine }
    static func setPlace(of call: HTTPCall, _ place: CallPlace) { call.inLine = place }
}

/// A list of calls, first in first out, from whose middle a call can leave in constant time.
struct CallQueue<Order: CallOrder> {
    private(set) var first: HTTPCall?
    private var last: HTTPCall?

    mutating func append(_ call: HTTPCall) {
        Order.setPlace(of: call, CallPlace(previous: last, next: nil, isLinked: true))
        if let last {
            var place = Order.place(of: last)
            place.next = call
            Order.setPlace(of: last, place)
        } else {
            first = call
        }
        last = call
    }

    /// Takes a call out, if it is in.
    mutating func remove(_ call: HTTPCall) {
        let place = Order.place(of: call)
        guard place.isLinked else { return }
        if let previous = place.previous {
            var neighbour = Order.place(of: previous)
            neighbour.next = place.next
            Order.setPlace(of: previous, neighbour)
        } else {
            first = place.next
        }
        if let next = place.next {
            var neighbour = Order.place(of: next)
            neighbour.previous = place.previous
            Order.setPlace(of: next, neighbour)
        } else {
            last = place.previous
        }
        Order.setPlace(of: call, CallPlace())
    }
}
