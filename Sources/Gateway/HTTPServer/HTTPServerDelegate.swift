/// What a server's requests are for. All calls come on the server's thread, from `HTTPServer.run`, `expire` and `stop`.
///
/// A request is known by a word (not 0) that the delegate gives it. Each one that `requestBegan` has told of ends by one of
/// `requestRefused`, `requestAbandoned` and `requestCompleted`.
protocol HTTPServerDelegate: AnyObject {
    /// The head of a request is in; its offsets are into `bytes`, and both are valid during the call. Gives the request's word, and
    /// where its body is to go.
    ///
    /// - Parameter now: nanoseconds of the monotonic clock.
    func requestBegan(
        _ head: HTTP1RequestHead,
        in bytes: ByteView,
        client: Int,
        now: Int64
    ) -> (word: Int, body: ByteBuffer)
    /// A request has begun whose body is so long, and none of it is in its buffer yet: whether it goes on as it comes. Then the
    /// delegate takes it out of the buffer, from the front, and says `HTTPServer.readOn` when there is room again.
    func passesBody(_ word: Int, length: Int, now: Int64) -> Bool
    /// More of such a body is in its buffer. All of it is before `requestReceived`.
    func bodyCame(_ word: Int)
    /// Whether a body may take a buffer of this capacity. Asked when its first bytes come, and before the buffer grows.
    func mayHoldBody(of word: Int, capacity: Int) -> Bool
    /// The whole request is in, and `requestReady` follows.
    func requestReceived(_ word: Int, now: Int64)
    /// A request is refused before it is whole; the word is 0 where it had not begun. Writes the whole answer, as bytes, which says
    /// that the connection closes.
    ///
    /// - Parameters:
    ///   - path: as far as it is known; else empty.
    ///   - hasBody: Whether the answer may have a body: not to HEAD.
    func requestRefused(_ refusal: HTTP1Refusal, _ word: Int, path: ByteView, hasBody: Bool, to answer: ByteBuffer)
    /// The client is gone before its request was whole, or answered.
    func requestAbandoned(_ word: Int)

    /// It is the request's turn to be answered, by this.
    func requestStarted(_ word: Int, _ request: HTTPRequest)
    /// The request was started, or resumed, or it waits. `mayWait`: for one that waits, to go on is worth while.
    func requestReady(_ word: Int, mayWait: Bool) -> HTTPDaemon.Step
    /// How many requests wait (`HTTPDaemon.Step.wait`).
    var waitingCount: Int { get }
    /// How many answers are being made as they are sent (`HTTPBodySource`).
    var streamingCount: Int { get }
    /// Whether there is something for the client of a started request to take. Of an answer that comes in parts there is not while
    /// its next part has not come.
    func waitsForClient(_ word: Int) -> Bool
    /// So many bytes of the answer of a started request are to be sent: sends those that are lent (`HTTPPart.lent`); nil: none are.
    func sendLent(_ word: Int, upTo length: Int, to socket: StreamSocket) -> StreamSocket.Written?
    /// The client of a started request has closed its connection, or ended its sending.
    func clientLeft(_ word: Int)
    /// The answer has been sent, or the connection is lost: all that the response points to is free.
    func requestCompleted(_ word: Int)
    /// How many clients are connected has changed by this.
    func clientsChanged(by change: Int)
}

extension HTTPServerDelegate {
    /// All bodies are wanted whole.
    func passesBody(_ word: Int, length: Int, now: Int64) -> Bool { false }
    func bodyCame(_ word: Int) {}
    /// libmicrohttpd has all that it sends.
    func sendLent(_ word: Int, upTo length: Int, to socket: StreamSocket) -> StreamSocket.Written? { nil }
    /// All answers are there when they are given.
    func waitsForClient(_ word: Int) -> Bool { true }
}
