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
    /// How long messages may wait for brokers before that is called trouble.
    static let patienceNanoseconds: Int64 = 1_000_000_000

    let source: any EventSource
    let counters: ReporterCounters
    let settings: KafkaReporterSettings
    let failures: FailureFile
    let statistics: KafkaClientStatistics
    var trouble: DeliveryTrouble
    var libraryLog: KafkaLogRelay
    var outlet: KafkaOutlet?

    let wake: ReaderWake
    private let control: ReporterControl
    let topicName: String
    private let writer: KafkaEventWriter
    let log: ReporterLog

    var ledger = DeliveryLedger()
    var records = KafkaMessageRecords()
    let retries = KafkaRetries()
    let line = ByteBuffer()
    var state = State.sending
    /// Which producer this is since the last event that was delivered.
    var attempt = 0
    /// As librdkafka said, and no message was delivered since.
    var brokersAreDown = false
    /// Since when messages wait for brokers that are down.
    var waitingSince: Int64?

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
        self.outlet = outlet
        self.failures = failures
        self.statistics = statistics
        self.log = log
        trouble = DeliveryTrouble(destination: "Kafka topic \(topicName)", isDurable: source.isDurable, log: log)
        libraryLog = KafkaLogRelay(redact: settings.redacted, log: log)
    }

    /// Returns when the Reporter has been stopped and every event is accounted for.
    func run() {
        while true {
            if control.wantsReopen.exchange(false, ordering: .acquiring) { failures.reopen() }
            let deadline = control.stopDeadline
            if let deadline, Clock.monotonic() > deadline { break }
            takeNews()
            proceed()
            let hasSent = state == .sending && send()
            settle()
            if deadline != nil && isIdle { break }
            rest(until: deadline, hasSent: hasSent)
        }
        end()
    }

    /// Gathered events that librdkafka has not got.
    var leftCount: Int { events.count - next }

    private var isIdle: Bool { records.count == 0 && retries.isEmpty && events.isEmpty && !source.hasEvents }

    /// Tells the source what is done with. What was refused must be in its file by then.
    func settle() {
        failures.flush()
        ledger.acknowledge(to: source)
    }

    private func rest(until deadline: Int64?, hasSent: Bool) {
        let left = [deadline.map { $0 - Clock.monotonic() }, watchBrokers()].compactMap { $0 }.min()
        switch state {
        case .replacing where records.count == 0: break  // nothing is to come from the old producer
        case .waiting(let time):
            let pause = time - Clock.monotonic()
            wake.pause(nanoseconds: min(left ?? pause, pause))
        case .sending where retries.isEmpty && events.isEmpty:
            if !hasSent {
                wake.waitForEvents(nanoseconds: left, unless: { source.hasEvents })
            } else if deadline == nil && !source.isBehind {
                wake.pause(nanoseconds: Self.lingerNanoseconds)
            }
        // librdkafka is full, or is giving things up: its news wakes us.
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
        if events.isEmpty { gather() }
        while next < events.count {
            let message = writer.message(of: events[next].frame)
            // An event that librdkafka did not take at first has its ticket already.
            let ticket = nextTicket ?? ledger.begin(events[next])
            nextTicket = ticket
            let record = KafkaMessageRecord(ticket: ticket, sequence: sequence, arrival: arrival)
            guard produce(message, record) else { return hasSent }
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
        case .orphaned:
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
