import Logging
import Synchronization

/// What the Kafka Reporter's own thread does: pass waiting events to librdkafka while that has room, and hear what became
/// of them.
///
/// It waits for one descriptor only, which shards write to for new events and librdkafka for news of the old ones.
final class KafkaReporterThread {
    /// How much is gathered at once.
    private static let gatherLimit = 1 << 20
    /// The rest after events were passed on, so that shards need no system call to wake a thread that does not sleep.
    private static let lingerNanoseconds: Int64 = 1_000_000
    /// How long to wait for librdkafka to give up what is left when the time is over.
    static let purgeNanoseconds: Int64 = 1_000_000_000
    /// Batches are not made smaller than this for being too large.
    static let leastBatchBytes = 16 << 10
    /// How long messages may wait for brokers before that is called trouble.
    static let patienceNanoseconds: Int64 = 1_000_000_000
    /// After how long without a delivery the brokers are asked what they have against the topic, and for how long that
    /// may take.
    static let stallNanoseconds: Int64 = 5_000_000_000
    static let askMilliseconds = 1_000

    let source: any EventSource
    let counters: ReporterCounters
    let settings: KafkaReporterSettings
    /// Events that the brokers never take, on their way into the failure file.
    let refused: RefusedEvents
    let statistics: KafkaClientStatistics
    var trouble: DeliveryTrouble
    var libraryLog: KafkaLogRelay
    var outlet: KafkaOutlet?

    let wake: ReaderWake
    let control: ReporterControl
    let topicName: String
    private let writer: KafkaEventWriter
    let log: ReporterLog

    var ledger = DeliveryLedger()
    var records = KafkaMessageRecords()
    let retries = KafkaRetries()
    let line = ByteBuffer()
    var state = State.sending
    /// Messages go out one by one, since a batch was refused as a whole: until all that were under way by then are through.
    var goesOneByOne = false
    /// Of these, one was refused by itself.
    var hasFoundFault = false
    /// Batches of so many bytes have not been refused for their size.
    var batchBytes: Int
    /// Which producer this is since the last event that was delivered.
    var attempt = 0
    /// As librdkafka said, and no message was delivered since.
    var brokersAreDown = false
    /// What the brokers, or librdkafka, have against us, and no message was delivered since.
    var refusal: KafkaError?
    /// Since when messages wait for brokers that are down, or refuse us.
    var waitingSince: Int64?
    /// When messages were delivered last, or there were none to be, or the brokers were asked why; and how often they were.
    var lastProgress: Int64 = 0
    var asked = 0

    /// Gathered events; those before `next` are with librdkafka, or done with.
    private var events: [WaitingEvent] = []
    private var next = 0
    private var nextTicket: DeliveryLedger.Ticket?
    private var arrival: Int64 = 0
    private var sequence = 0
    let backoff = RetryBackoff(initial: 100_000_000, maximum: 10_000_000_000)
    let random = RandomPool()

    enum State: Equatable {
        case sending
        /// Nothing is produced before this time, on `Clock.monotonic`.
        case waiting(until: Int64)
        /// The producer is of no more use. What it holds is given up, and produced again by another.
        case replacing
        /// The end: what is given up now counts as dropped.
        case ending
    }

    init(
        feed: any EventFeed,
        control: ReporterControl,
        configuration: Configuration.Reporter.Kafka,
        settings: KafkaReporterSettings,
        outlet: KafkaOutlet,
        failures: FailureFile,
        statistics: KafkaClientStatistics,
        log: @escaping ReporterLog
    ) {
        source = feed.makeSource()
        wake = feed.wake
        counters = feed.counters
        self.control = control
        topicName = configuration.topic
        writer = KafkaEventWriter(key: configuration.key)
        self.settings = settings
        batchBytes = settings.batchBytes
        self.outlet = outlet
        refused = RefusedEvents(file: failures, counters: feed.counters)
        self.statistics = statistics
        self.log = log
        trouble = DeliveryTrouble(
            destination: "Kafka topic \(topicName)",
            isDurable: source.isDurable,
            block: counters.block,
            log: log
        )
        libraryLog = KafkaLogRelay(redact: settings.redacted, log: log)
    }

    /// Returns when the Reporter has been stopped and every event is accounted for.
    func run() {
        while true {
            if control.wantsReopen.exchange(false, ordering: .acquiring) { refused.reopen() }
            let deadline = control.stopDeadline
            if let deadline, isHopeless(deadline) { break }
            takeNews()
            proceed()
            let hasSent = state == .sending && !refused.isStuck && send()
            settle()
            if deadline != nil && isIdle { break }
            rest(until: deadline, hasSent: hasSent)
        }
        end()
    }

    /// Nothing more gets through before this time: it is over, or nothing may be sent by then.
    private func isHopeless(_ deadline: Int64) -> Bool {
        if case .waiting(let time) = state, time > deadline, records.count == 0 { return true }
        return Clock.monotonic() > deadline
    }

    /// Gathered events that librdkafka has not got.
    var leftCount: Int { events.count - next }

    private var isIdle: Bool { records.count == 0 && retries.isEmpty && events.isEmpty && !source.hasEvents }

    /// Tells the source what is done with. What was refused must be in its file by then.
    func settle() {
        refused.settle(&ledger)
        ledger.acknowledge(to: source)
    }

    private func sooner(_ one: Int64?, _ other: Int64?) -> Int64? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    private func rest(until deadline: Int64?, hasSent: Bool) {
        let now = Clock.monotonic()
        // (No array: this is done for each request when there are few.)
        let next = sooner(deadline, refused.nextTry).map { $0 - now }
        let left = sooner(next, sooner(watchBrokers(), watchDeliveries()))
        switch state {
        case .replacing where records.count == 0: break  // nothing is to come from the old producer
        case .waiting(let time): wake.pause(nanoseconds: min(left ?? .max, time - now))
        // Nothing is sent until the refused events are safe: librdkafka's news wakes us, or the next try.
        case .sending where refused.isStuck: wake.event.wait(nanoseconds: left)
        case .sending where retries.isEmpty && events.isEmpty && !goesOneByOne:
            if !hasSent {
                wake.waitForEvents(nanoseconds: left, unless: { source.hasEvents })
            } else if deadline == nil && !source.isBehind {
                wake.pause(nanoseconds: Self.lingerNanoseconds)
            }
        // librdkafka is full, or is giving things up, or must be through with what it has: its news wakes us.
        default: wake.event.wait(nanoseconds: left)
        }
    }

    // MARK: Sending

    /// Passes on as much as librdkafka takes. Whether there was anything.
    private func send() -> Bool {
        var hasSent = false
        while let (message, record) = retries.first {
            if isTooOld(record) {
                giveUp(message, record, .messageTimedOut)
            } else if !produce(message, record) {
                return hasSent
            }
            retries.removeFirst()
            hasSent = true
        }
        if goesOneByOne { return hasSent }
        if events.isEmpty { gather() }
        while next < events.count {
            let message = writer.message(of: events[next].frame)
            // An event that librdkafka did not take at first has its ticket already.
            let ticket = nextTicket ?? ledger.begin(events[next])
            nextTicket = ticket
            let record = KafkaMessageRecord(ticket: ticket, sequence: sequence, arrival: arrival)
            if isTooOld(record) {
                giveUp(message, record, .messageTimedOut)
            } else if !produce(message, record) {
                return hasSent
            }
            nextTicket = nil
            next += 1
            sequence += 1
            hasSent = true
        }
        if !events.isEmpty {
            // librdkafka has copies.
            events.removeAll(keepingCapacity: true)
            next = 0
            source.release()
        }
        return hasSent
    }

    private func gather() {
        arrival = wake.takeOldestArrival() ?? Clock.monotonic()
        source.gather(into: &events, limit: Self.gatherLimit)
    }

    /// Under best effort no event is tried for longer than a message of Kafka, by however many producers.
    private func isTooOld(_ record: KafkaMessageRecord) -> Bool {
        guard !source.isDurable, let timeout = settings.messageTimeout else { return false }
        return Clock.monotonic() - record.arrival > timeout
    }

    /// Passes one message on. True: librdkafka has it, or it is done with. False: it must be tried again.
    private func produce(_ message: KafkaEventMessage, _ record: KafkaMessageRecord) -> Bool {
        guard let outlet else { return false }
        let size = writer.writeHeaders(of: message)
        if size > settings.maxMessageBytes {
            let detail = "it takes \(size) bytes, at most \(settings.maxMessageBytes) are allowed"
            refuse(message, record, KafkaError(code: KafkaError.messageTooLarge.code, detail: detail))
            return true
        }
        let number = records.insert(record)
        do throws(KafkaError) {
            try outlet.producer.produce(
                to: outlet.topic,
                key: message.key,
                value: message.value,
                headers: writer.headers,
                ticket: number
            )
            return true
        } catch {
            _ = records.remove(number)
            return take(error, message, record)
        }
    }

    /// What follows where librdkafka does not take a message.
    private func take(_ error: KafkaError, _ message: KafkaEventMessage, _ record: KafkaMessageRecord) -> Bool {
        if error == .queueFull {
            // Its news of what it has will wake us.
            return false
        }
        switch KafkaFate(error) {
        case .refused:
            refuse(message, record, error)
            return true
        case .orphaned, .blocked:
            // A new producer also asks the brokers anew what they have, and what it may.
            replaceProducer(because: error)
            return false
        case .transient:
            if source.isDurable {
                trouble.begin("\(error)")
                state = .waiting(until: nextAttempt())
                return false
            }
            giveUp(message, record, error)
            return true
        }
    }
}

@available(*, unavailable)
extension KafkaReporterThread: Sendable {}
