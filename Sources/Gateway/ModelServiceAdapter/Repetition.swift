/// Whether a request goes out once more when the kept connection that carried it has died before an answer began.
///
/// A request that a model may have worked on is not sent twice, unless `models.N.repeatable` says that the model does not
/// mind. What was not read can be told from these, of Linux's TCP on both sides:
/// - A server that closes says so (FIN), and what it says acknowledges all that its machine had received by then. So when
///   the end of the stream has come and nothing of the request is acknowledged, the request came after the close: it was
///   thrown away, and answered by a reset. (A server that closes for sending only and reads on does so to let go gently:
///   what it reads then it throws away, for it can answer nothing any more.)
/// - A reset without an end, and nothing acknowledged: the server closed with the request unread, which is what makes a
///   close a reset. A server that reads a request and at once, before the 40 ms for which Linux delays an acknowledgement
///   beside an expected answer, resets on purpose (SO_LINGER of 0) looks the same, and is asked twice. One that crashes or
///   is killed does not: its kernel closes, and acknowledges what was read.
/// - On a Unix socket there is a reset only where something was left unread, and a server that has not read a request to
///   its end has not worked on it. An end without a reset: it was read.
/// - Nothing was written: the connection was dead already.
enum Repetition {
    /// How a connection ended.
    enum Death {
        /// The end of the stream.
        case ended
        /// A reset, or what counts as one.
        case reset
    }

    /// Whether none of the request can have been worked on.
    ///
    /// - Parameters:
    ///   - sent: how many bytes of it were written.
    ///   - unacknowledged: how many bytes the peer's machine has not acknowledged; nil: it is no TCP connection.
    static func isUnread(sent: Int, unacknowledged: Int?, _ death: Death) -> Bool {
        if sent == 0 { return true }
        guard let unacknowledged else { return death == .reset }
        return unacknowledged >= sent
    }
}
