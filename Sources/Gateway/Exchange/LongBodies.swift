/// Which long bodies go on as they come: those that nobody has to look into, which are not streams by themselves.
enum LongBodies {
    /// Up to so many bytes a body is taken whole: that costs less than sending it on in pieces, and its room is kept anyway.
    static let minBytes = BodyLoan.freeBytes

    /// When so much of an answer waits for its client, no more is read; one read more may come.
    static let waitingBytes = minBytes / 2

    /// From how many bytes on an answer goes on as it comes; nil: somebody looks into all of it, however long it is.
    ///
    /// One that is recorded and fits into its event has to be in memory whole for that, and is sent from there.
    ///
    /// - Parameters:
    ///   - isRead: whether it is read for its reply (`AnswerWork.reads`).
    ///   - maxEventBytes: of its event; nil: it has none.
    static func answerBytes(isRead: Bool, maxEventBytes: Int?) -> Int? {
        isRead ? nil : max(minBytes, maxEventBytes ?? 0)
    }
}
