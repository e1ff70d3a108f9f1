import Logging
import Synchronization

extension KafkaReporterThread {
    /// Hears all that librdkafka has to tell.
    func takeNews() {
        guard let producer = outlet?.producer else { return }
        var news = News(now: Clock.monotonic())
        while producer.poll({ take($0, &news) }) {}
        guard news.sent > 0 else { return }
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
            return
        }
        let message = KafkaEventMessage(delivery)
        switch KafkaFate(error) {
        case .refused: refuse(message, record, error)
        case .transient where !source.isDurable: giveUp(message, record, error)
        case .orphaned, .transient:
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

    /// Tells of trouble where messages have waited for a while for brokers that are all down: librdkafka says that once,
    /// and also when brokers have only closed idle connections. Returns when to look again, in nanoseconds from now.
    func watchBrokers() -> Int64? {
        guard brokersAreDown, records.count > 0, !trouble.isOn else {
            waitingSince = nil
            return nil
        }
        let now = Clock.monotonic()
        let since = waitingSince ?? now
        waitingSince = since
        let left = since + Self.patienceNanoseconds - now
        if left > 0 { return left }
        trouble.begin("no broker can be reached")
        return nil
    }

    // MARK: Events that fail

    /// The brokers will never take this event.
    func refuse(_ message: KafkaEventMessage, _ record: KafkaMessageRecord, _ error: KafkaError) {
        trouble.refused(1, "\(error)", now: Clock.monotonic())
        fail(message, record, error)
    }

    /// Best effort: it has been tried for long enough.
    func giveUp(_ message: KafkaEventMessage, _ record: KafkaMessageRecord, _ error: KafkaError) {
        trouble.gaveUp(1, "\(error)")
        fail(message, record, error)
    }

    private func fail(_ message: KafkaEventMessage, _ record: KafkaMessageRecord, _ error: KafkaError) {
        line.removeAll()
        message.appendEvent(to: line)
        failures.append(line.view, cause: error.name, message: error.detail ?? error.reason)
        counters.failed.add(1, ordering: .relaxed)
        ledger.end(record.ticket)
    }
}
