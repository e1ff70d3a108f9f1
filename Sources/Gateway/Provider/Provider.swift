/// An API through which clients get Predictions. One object per shard; confined to the shard's thread.
protocol Provider: AnyObject {
    /// The word for it in events and metrics.
    var name: StaticString { get }
    /// The exchange's reply is complete: send it on.
    func deliver(_ exchange: Exchange)
}

/// Which of the APIs a request came through: it decides what answers and errors look like.
enum Face {
    case native, v1, v2

    /// The word for it in events.
    var name: StaticString {
        switch self {
        case .native: "native"
        case .v1: "v1"
        case .v2: "v2"
        }
    }
}
