import Logging
import Synchronization

/// How a producer ends: with an error after which another takes over, or with the Reporter.
extension KafkaDestination {
    func nextAttempt() -> Int64 {
        defer { attempt += 1 }
        return Clock.monotonic() + backoff.delay(attempt: attempt, random: random.next())
    }

    /// A batch was refused as a whole: for one of its messages, or for its size. Its messages go out one by one, and so do all
    /// others that are under way, lest one overtakes another of its key.
    func sendAlone(_ message: KafkaEventMessage, _ record: KafkaMessageRecord, _ error: KafkaError, of count: Int) {
        guard state != .ending else {
            // Under at-least-once it waits in the spool for the next start.
            if !source.isDurable { counters.dropped.add(1, ordering: .relaxed) }
            return
        }
        retries.append(message, record)
        if state != .replacing { trouble.singledOut(count, "\(error)", now: Clock.monotonic()) }
        if !goesOneByOne { (goesOneByOne, hasFoundFault) = (true, false) }
        guard let outlet, state != .replacing else { return }
        state = .replacing
        outlet.producer.purge()
    }

    /// All is through that was to go out one by one.
    private func endOneByOne() {
        goesOneByOne = false
        // None was at fault, so it was the size of them all: the topic allows less than a batch may have.
        if !hasFoundFault { batchBytes = max(batchBytes / 2, Self.leastBatchBytes) }
        outlet = nil
        state = .waiting(until: 0)
    }

    /// Gives up the producer. Its reports give the messages back; when the last is in, another producer gets them.
    func replaceProducer(because error: KafkaError) {
        guard let outlet, state != .ending, state != .replacing else { return }
        tellOfTrouble(error, "the producer must be replaced (\(error))")
        // Not each time: this may go on for as long as the brokers are away.
        log(.debug, "Kafka topic \(topicName): another producer takes over after \(error)")
        state = .replacing
        outlet.producer.purge()
    }

    /// Takes the next step of what is under way besides sending.
    func proceed() {
        if goesOneByOne, state == .sending, retries.isEmpty, records.count == 0 { endOneByOne() }
        switch state {
        case .replacing where records.count == 0:
            outlet = nil
            state = .waiting(until: goesOneByOne && attempt == 0 ? 0 : nextAttempt())
        case .waiting(let time) where Clock.monotonic() >= time:
            if outlet == nil {
                guard KafkaClientEnd.allowsReplacement else {
                    trouble.begin("\(KafkaClientEnd.unfinished) clients that were given up do not end")
                    state = .waiting(until: nextAttempt())
                    return
                }
                do {
                    outlet = try KafkaOutlet(
                        settings: settings.settings(oneByOne: goesOneByOne, batchBytes: batchBytes),
                        topic: topicName,
                        wake: wake.event
                    )
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
    }

    func shutDown() { outlet = nil }
}
