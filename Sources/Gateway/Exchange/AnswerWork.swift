/// One answer on its way into the reply and the events, in steps that each take well under a millisecond: first the answer
/// and the request are read, then its Predictions are written down one after the other.
///
/// A shard has two: one for the short answers, which it does at a stretch, and one for the long one that it does a step of
/// in each turn of its loop (`LongAnswers`).
final class AnswerWork {
    private enum Stage {
        case answer, request, rows, done
    }

    let extractor = PredictionExtractor()
    private let reporting: EventReporting
    private let request = RequestCapture()
    private let ids = PredictionIds()
    private let names = RoutedNames()
    private var stage = Stage.done
    private var row = 0
    private var event = PredictionEvent()
    private var policy = EventPolicy()
    private var isRecorded = false
    /// When the answer came, in nanoseconds since 1970.
    private var answeredAt: Int64 = 0

    private(set) var exchange: Exchange?

    init(reporting: EventReporting) { self.reporting = reporting }

    /// Whether answer and request are read, and the rows have been begun.
    private(set) var isRead = false

    /// Whether some of its events may be with the Reporters already.
    var hasWrittenRows: Bool { row > 0 }

    /// How many Predictions the answer is, once it is read.
    var count: Int { extractor.count }

    /// Whether an answer of this protocol is read whatever is recorded: it is split into Predictions, or wrapped. A raw one is its
    /// own and only Prediction.
    static func reads(_ modelProtocol: ModelProtocol, for face: Face) -> Bool {
        !modelProtocol.codec.takesAnything || face.codec.writesAnswers
    }

    /// How many bytes must be read for an exchange.
    static func length(_ exchange: Exchange, _ policy: EventPolicy) -> Int {
        policy.readBytes(of: exchange.request.body.view) + (exchange.attempt.answer?.body.count ?? 0)
    }

    /// Begins with an exchange whose answer is in.
    func begin(_ exchange: Exchange, _ answer: ModelAnswer, _ route: ModelRoute) {
        self.exchange = exchange
        row = 0
        isRead = false
        policy = reporting.policy(of: exchange)
        isRecorded = reporting.isRecording && policy.records(exchange.request.id.view)
        stage = .answer
        let isRead = extractor.begin(
            PredictionExtractor.Source(
                modelProtocol: route.modelProtocol,
                body: answer.body.view,
                jsonLength: route.modelProtocol.codec.hasTensors ? answer.jsonLength : nil,
                contentType: answer.contentType,
                contentEncoding: answer.contentEncoding,
                maxPredictions: route.maxPredictions,
                maxWholeBytes: exchange.request.face.codec.writesAnswers ? .max : policy.maxEventBytes
            )
        )
        if isRead { beginRequest(exchange) }
    }

    /// Reads on; true when all is read.
    func readOn() -> Bool {
        guard let exchange else { return true }
        switch stage {
        case .answer: if extractor.readOn() { beginRequest(exchange) }
        case .request: if request.readOn() { stage = .rows }
        case .rows, .done: break
        }
        return stage == .rows || stage == .done
    }

    private func beginRequest(_ exchange: Exchange) {
        guard isRecorded, policy.capture != .none else {
            request.beginNothing()
            stage = .rows
            return
        }
        stage = request.begin(exchange.requestSource, policy) ? .rows : .request
    }

    /// All is read: begins the rows. With `exchange.reply.completedAt` set.
    func beginRows() {
        guard let exchange else { return }
        isRead = true
        answeredAt = reporting.wall(exchange.attempt.answeredAt)
        names.read(exchange)
        event.modelName = names.modelName(extractor.shared)
        event.modelVersion = names.modelVersion(extractor.shared)
        if isRecorded {
            request.arrange(rowCount: count)
            event = reporting.makeEvent(exchange, names)
            event.rowCount = count
            event.unsplit = extractor.unsplit
            event.contentType = extractor.contentType
            event.contentEncoding = extractor.contentEncoding
        }
        let face = exchange.request.face.codec
        if face.writesAnswers { face.beginAnswer(exchange.request, to: exchange.reply.ownBody) }
    }

    /// Why the events find no room, as far as can be said before they are written; nil: they do. After `beginRows`.
    var roomFailure: ExchangeFailure? {
        guard isRecorded, let exchange else { return nil }
        let added = Self.length(exchange, policy) + extractor.addedBytes
        return reporting.roomFailure(for: count, like: event, policy, added: added)
    }

    /// Writes down the next rows: at most so many, and as many as make so many bytes of events or of the reply. True when
    /// all are.
    func writeRows(atMost rows: Int, bytes: Int, metrics: ShardMetrics) -> Bool {
        guard let exchange else { return true }
        let face = exchange.request.face.codec
        let writesAnswer = face.writesAnswers
        // Each retained once here and not for each row.
        let (body, extractor, counters) = (exchange.reply.ownBody, extractor, metrics.predictions)
        let modelTime = exchange.attempt.modelTime
        let lastRow = rows < count - row ? row + rows : count
        let firstByte = body.count
        var recorded = 0
        if isRecorded { reporting.beginRows() }
        if !isRecorded, !writesAnswer, extractor.sharesNames {
            // Nobody wants to see the rows.
            counters.count(model: event.modelName, version: event.modelVersion, count)
            row = count
        }
        while row < lastRow, recorded < bytes, body.count - firstByte < bytes {
            let prediction = extractor.next()
            // One of the model's own, if it gave one.
            let id = prediction.id.isEmpty ? ids.next(wallNanoseconds: answeredAt) : prediction.id
            if writesAnswer {
                face.append(
                    prediction,
                    id: id,
                    of: extractor,
                    names: names,
                    modelTime: modelTime,
                    isFirst: row == 0,
                    to: body
                )
            }
            event.modelName = names.modelName(prediction)
            event.modelVersion = names.modelVersion(prediction)
            counters.count(model: event.modelName, version: event.modelVersion)
            if isRecorded {
                set(prediction, id: id, isNotFinite: extractor.hasNotFinite)
                recorded += reporting.record(event, policy)
            }
            row += 1
        }
        exchange.reply.eventBytes += recorded
        guard row == count else { return false }
        if writesAnswer { face.endAnswer(extractor, to: body) }
        end()
        return true
    }

    /// Makes the event that of the Prediction at hand.
    @inline(__always)
    private func set(_ prediction: Prediction, id: ByteView, isNotFinite: Bool) {
        event.id = id
        event.rowIndex = row
        event.timeTakenInMs = prediction.timeTakenInMs
        event.value = PredictionEvent.Part(
            bytes: prediction.value,
            encoding: prediction.hasDuplicates ? .text : prediction.encoding,
            mayBeNotFinite: isNotFinite
        )
        event.extra = PredictionEvent.Part(bytes: prediction.extra, mayBeNotFinite: isNotFinite)
        request.add(to: &event)
        policy.prepare(&event)
    }

    /// After the end: lets go of what a large answer has left behind; how many bytes that were.
    func letGo() -> Int { extractor.letGo() + request.letGo() }

    /// Lets go of the exchange.
    func end() {
        stage = .done
        row = 0
        exchange = nil
        // It points into the exchange.
        event = PredictionEvent()
    }
}

@available(*, unavailable)
extension AnswerWork: Sendable {}
