import Logging
import Synchronization

extension KafkaDestination {
    /// Hears all that librdkafka has to tell.
    func takeNews() {
        guard let producer = outlet?.producer else { return }
        var news = News(now: Clock.monotonic())
        while producer.poll({ take($0, &news) }) {}
        guard news.sent > 0 else { return }
        progressed(news.now)
        news.observe(counters.deliveries)
        counters.sent.add(news.sent, ordering: .relaxed)
    }

    /// What is counted once per call rather than once per message.
    private struct News {
        let now: Int64
        var sent = 0
        /// Neighbours mostly came together.
        private var arrival: Int64 = 0
        private var count = 0

        init(now: Int64) { self.now = now }

        mutating func delivered(_ record: KafkaMessageRecord, _ histogram: DurationHistogram) {
            sent += 1
            if record.arrival != arrival { observe(histogram) }
            arrival = record.arrival
            count += 1
        }

        mutating func observe(_ histogram: DurationHistogram) {
            if count > 0 { histogram.observe(max(now - arrival, 0), times: count) }
            count = 0
        }
    }

    private func take(_ event: KafkaEvent, _ news: inout News) {
        switch event {
        case .delivered(let delivery): take(delivery, &news)
        case .error(let error, let isFatal):
            if isFatal {
                replaceProducer(because: outlet?.producer.fatalError() ?? error)
            } else if error == .allBrokersDown {
                brokersAreDown = true
            } else {
                if KafkaFate(error) == .blocked { refusal = error }
                libraryLog.relay(level: 3, kind: error.name, message: "\(error)", now: news.now)
            }
        case .log(let level, let facility, let message):
            libraryLog.relay(level: level, kind: facility, message: message, now: news.now)
        case .statistics(let json): statistics.note(json)
        case .consumed, .partitionEnd, .rebalance, .committed: break
        }
    }

    private func take(_ delivery: KafkaDelivery, _ news: inout News) {
        let record = records.remove(delivery.ticket)
        guard let error = delivery.error else {
            ledger.end(record.ticket)
            news.delivered(record, counters.deliveries)
            trouble.end()
            attempt = 0
            brokersAreDown = false
            refusal = nil
            return
        }
        let message = KafkaEventMessage(delivery)
        switch KafkaFate(error) {
        case .refused:
            // They have looked at the message, so there is nothing else in the way.
            trouble.end()
            if delivery.companions > 1 {
                sendAlone(message, record, error, of: delivery.companions)
            } else {
                hasFoundFault = true
                refuse(message, record, error)
            }
        case .transient where !source.isDurable: giveUp(message, record, error)
        case .orphaned, .transient, .blocked:
            if state == .ending {
                // Under at-least-once it waits in the spool for the next start.
                if !source.isDurable { counters.dropped.add(1, ordering: .relaxed) }
            } else {
                retries.append(message, record)
                // Others of its key must not overtake it.
                replaceProducer(because: error)
            }
        }
    }

    /// Tells of trouble where messages have waited for a while for brokers that are all down, or do not let us in: librdkafka
    /// says that once, and also when brokers have only closed idle connections. Returns when to look again, in nanoseconds
    /// from now.
    func watchBrokers() -> Int64? {
        let isTold = refusal == nil ? trouble.isOn : trouble.isBlocked
        guard brokersAreDown || refusal != nil, records.count > 0, !isTold else {
            waitingSince = nil
            return nil
        }
        let now = Clock.monotonic()
        let since = waitingSince ?? now
        waitingSince = since
        let left = since + Self.patienceNanoseconds - now
        if left > 0 { return left }
        tellOfTrouble(refusal, "no broker can be reached")
        return nil
    }

    /// Messages wait, none is delivered, and nobody says why: librdkafka tries on without a word where a topic may not be
    /// written, or a partition has no leader. So the brokers are asked. Returns as `watchBrokers`.
    func watchDeliveries() -> Int64? {
        let now = Clock.monotonic()
        guard state == .sending, records.count > 0, !trouble.isBlocked, context.stopDeadline == nil else {
            progressed(now)
            return nil
        }
        let left = lastProgress + Self.stallNanoseconds - now
        if left > 0 { return left }
        guard let outlet else { return nil }
        let error = outlet.producer.trouble(with: outlet.topic, timeoutMilliseconds: Self.askMilliseconds)
        asked += 1
        lastProgress = Clock.monotonic()
        // What passes by itself is not told of at once.
        if asked > 1 || error.map({ KafkaFate($0) }) == .blocked {
            tellOfTrouble(error, "no event was delivered for \(asked * 5) s\(error.map { " (\($0))" } ?? "")")
        }
        return Self.stallNanoseconds
    }

    private func progressed(_ now: Int64) {
        lastProgress = now
        asked = 0
    }

    /// Trouble begins: what somebody must mend, or else what passes by itself.
    func tellOfTrouble(_ error: KafkaError?, _ otherwise: String) {
        if let error, KafkaFate(error) == .blocked {
            trouble.begin(settings.redacted("\(error)"), blockedBy: error.name)
        } else {
            trouble.begin(settings.redacted(otherwise))
        }
    }

    // MARK: Events that fail

    /// The brokers will never take this event.
    func refuse(_ message: KafkaEventMessage, _ record: KafkaMessageRecord, _ error: KafkaError) {
        trouble.refused(1, "\(error)", now: Clock.monotonic())
        fail(message, record, error)
    }

    /// Best effort: it has been tried for long enough.
    func giveUp(_ message: KafkaEventMessage, _ record: KafkaMessageRecord, _ error: KafkaError) {
        trouble.begin("\(error)")
        trouble.gaveUp(1)
        fail(message, record, error)
    }

    private func fail(_ message: KafkaEventMessage, _ record: KafkaMessageRecord, _ error: KafkaError) {
        line.removeAll()
        context.format.appendEvent(of: message.record, to: line)
        refused.append(line.view, cause: error.name, message: error.detail ?? error.reason, record.ticket)
    }
}
