import Logging
import Synchronization

/// Produces events to a topic of Kafka (CloudEvents Kafka protocol binding, binary content mode): passes waiting ones to
/// librdkafka while that has room, and hears what became of them.
///
/// Order holds per key: librdkafka's idempotent producer keeps it, and where that one fails for good, a new producer gets
/// what was not delivered, in the old order, before anything else. An event whose report was lost with a connection may
/// then be in the topic twice, under the same `ce_id`.
///
/// It waits for one descriptor only, which shards write to for new events and librdkafka for news of the old ones.
final class KafkaDestination: EventDestination {
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

    let context: ReporterContext
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

    /// Events that librdkafka has not got.
    private var events: GatheredEvents
    private var nextTicket: DeliveryLedger.Ticket?
    private var hasSent = false
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

    static let word = "kafka"

    static func hang(_ settings: Settings) -> String {
        "Kafka does not let go of topic \(settings.configuration.topic); its last events may be lost"
    }

    struct Settings: Sendable {
        let configuration: Configuration.Reporter.Kafka
        /// Gets what the client tells of itself.
        let statistics: KafkaClientStatistics
    }

    struct Opened {
        let settings: KafkaReporterSettings
        let outlet: KafkaOutlet
    }

    /// Throws where a setting is wrong.
    static func open(_ settings: Settings, reporter: String, feed: any EventFeed) throws -> sending Opened {
        let configuration = settings.configuration
        let producer = KafkaReporterSettings(configuration, isDurable: feed.isDurable)
        do {
            let outlet = try KafkaOutlet(
                settings: producer.settings,
                topic: configuration.topic,
                wake: feed.wake.event
            )
            return Opened(settings: producer, outlet: outlet)
        } catch {
            throw KafkaReporterError(reporter: reporter, reason: "\(error)")
        }
    }

    init(_ settings: Settings, _ opened: Opened, _ context: ReporterContext) {
        let configuration = settings.configuration
        self.context = context
        self.settings = opened.settings
        outlet = opened.outlet
        statistics = settings.statistics
        source = context.source
        wake = context.wake
        counters = context.counters
        log = context.log
        topicName = configuration.topic
        writer = KafkaEventWriter(key: configuration.key, format: context.format)
        batchBytes = opened.settings.batchBytes
        refused = context.makeRefusedEvents(configuration.failurePath)
        trouble = context.makeTrouble("Kafka topic \(configuration.topic)")
        libraryLog = KafkaLogRelay(redact: opened.settings.redacted, log: context.log)
        events = GatheredEvents(context)
    }

    func reopen() { refused.reopen() }

    func advance() {
        takeNews()
        proceed()
        hasSent = state == .sending && !refused.isStuck && send()
        settle()
    }

    /// It is over, or nothing may be sent by then.
    func isHopeless(by deadline: Int64) -> Bool {
        if case .waiting(let time) = state, time > deadline, records.count == 0 { return true }
        return Clock.monotonic() > deadline
    }

    /// How many events librdkafka has not got.
    var leftCount: Int { events.count }

    var isIdle: Bool { records.count == 0 && retries.isEmpty && events.isEmpty && !source.hasEvents }

    /// Tells the source what is done with. What was refused must be in its file by then.
    func settle() {
        refused.settle(&ledger)
        ledger.acknowledge(to: source)
    }

    private func sooner(_ one: Int64?, _ other: Int64?) -> Int64? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    func rest(until deadline: Int64?) {
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
        if events.isEmpty { events.gather(limit: Self.gatherLimit) }
        while let event = events.first {
            let message = writer.message(of: event.frame)
            // An event that librdkafka did not take at first has its ticket already.
            let ticket = nextTicket ?? ledger.begin(event)
            nextTicket = ticket
            let record = KafkaMessageRecord(ticket: ticket, sequence: sequence, arrival: events.arrival)
            if isTooOld(record) {
                giveUp(message, record, .messageTimedOut)
            } else if !produce(message, record) {
                return hasSent
            }
            nextTicket = nil
            // librdkafka has a copy.
            events.removeFirst()
            sequence += 1
            hasSent = true
        }
        return hasSent
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
                value: message.record.value,
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
extension KafkaDestination: Sendable {}

typealias KafkaReporter = EventReporter<KafkaDestination>

extension KafkaReporter {
    convenience init(
        name: String = KafkaDestination.word,
        configuration: Configuration.Reporter.Kafka,
        feed: any EventFeed,
        synchronizes: Bool = false,
        log: @escaping ReporterLog
    ) {
        self.init(
            name: name,
            configuration: KafkaDestination.Settings(
                configuration: configuration,
                statistics: KafkaClientStatistics(client: "reporter-\(name)")
            ),
            feed: feed,
            synchronizes: synchronizes,
            log: log
        )
    }

    /// What the client tells of itself.
    var statistics: KafkaClientStatistics { configuration.statistics }
}

/// A Kafka Reporter that cannot start. Names the setting, never its value.
struct KafkaReporterError: Error, CustomStringConvertible {
    let reporter: String
    let reason: String

    var description: String { "Reporter \(reporter): \(reason)" }
}
