import Logging
import Synchronization

/// How a producer ends: with an error after which another takes over, or with the Reporter.
extension KafkaReporterThread {
    func nextAttempt() -> Int64 {
        defer { attempt += 1 }
        return Clock.monotonic() + backoff.delay(attempt: attempt, random: random.next())
    }

    /// Gives up the producer. Its reports give the messages back; when the last is in, another producer gets them.
    func replaceProducer(because error: KafkaError) {
        guard let outlet, state != .ending, state != .replacing else { return }
        trouble.begin("the producer must be replaced (\(error))")
        // Not each time: this may go on for as long as the brokers are away.
        log(.debug, "Kafka topic \(topicName): another producer takes over after \(error)")
        state = .replacing
        outlet.producer.purge()
    }

    /// Takes the next step of what is under way besides sending.
    func proceed() {
        switch state {
        case .replacing where records.count == 0:
            outlet = nil
            state = .waiting(until: nextAttempt())
        case .waiting(let time) where Clock.monotonic() >= time:
            if outlet == nil {
                guard KafkaClientEnd.allowsReplacement else {
                    trouble.begin("\(KafkaClientEnd.unfinished) clients that were given up do not end")
                    state = .waiting(until: nextAttempt())
                    return
                }
                do {
                    outlet = try KafkaOutlet(settings: settings.settings, topic: topicName, wake: wake.event)
                } catch {
                    trouble.begin("\(error)")
                    state = .waiting(until: nextAttempt())
                    return
                }
            }
            state = .sending
        default: break
        }
    }

    func end() {
        state = .ending
        if records.count > 0, let outlet {
            let deadline = Clock.monotonic() + Self.purgeNanoseconds
            outlet.producer.purge()
            takeNews()
            while records.count > 0 && Clock.monotonic() < deadline {
                wake.event.wait(nanoseconds: deadline - Clock.monotonic())
                takeNews()
            }
        }
        if !source.isDurable {
            counters.dropped.add(records.count + retries.count + leftCount, ordering: .relaxed)
        }
        settle()
        source.close()
        outlet = nil
    }
}
