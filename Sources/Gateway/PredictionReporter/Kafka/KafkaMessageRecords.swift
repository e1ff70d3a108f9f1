/// What the Reporter must know of a message that is with librdkafka.
struct KafkaMessageRecord {
    let ticket: DeliveryLedger.Ticket
    /// Counts messages in the order in which they were first produced.
    let sequence: Int
    /// When the event came, on `Clock.monotonic`.
    let arrival: Int64
}

/// The messages that are with librdkafka, by the number that comes back with the delivery report.
struct KafkaMessageRecords {
    private var records: [KafkaMessageRecord?] = []
    private var free: [Int] = []

    var count: Int { records.count - free.count }

    mutating func insert(_ record: KafkaMessageRecord) -> Int {
        guard let number = free.popLast() else {
            records.append(record)
            return records.count - 1
        }
        records[number] = record
        return number
    }

    mutating func remove(_ number: Int) -> KafkaMessageRecord {
        guard let record = records[number] else { preconditionFailure("librdkafka tells of each message once") }
        records[number] = nil
        free.append(number)
        return record
    }
}
