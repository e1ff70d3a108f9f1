/// A request that got no Prediction, as it is put away: its own bytes, key and headers, and where and why it failed.
enum DeadLetter {
    /// How much of a dead letter is left out because the broker did not take it whole.
    enum Reduction: Int {
        case none, withoutValue, withoutKeyAndHeaders
    }

    /// Writes the headers: those of the request, and ours after them.
    ///
    /// - Parameter topic: the request's.
    static func writeHeaders(
        of request: KafkaRequest,
        from topic: ByteView,
        _ reduction: Reduction,
        scratch: ByteBuffer,
        to list: KafkaHeaderList
    ) {
        list.removeAll()
        let record = request.record
        if reduction != .withoutKeyAndHeaders {
            record.headers.forEachHeader { list.append(name: $0, value: $1) }
        }
        list.append("ameron-dead-letter-cause", ByteView(request.failureWord))
        list.append("ameron-dead-letter-message", request.failureMessage.view)
        add("ameron-dead-letter-attempts", request.attempts, scratch, list)
        list.append("ameron-dead-letter-topic", topic)
        add("ameron-dead-letter-partition", Int(record.partition), scratch, list)
        add("ameron-dead-letter-offset", Int(record.offset), scratch, list)
        add("ameron-dead-letter-timestamp", Int(record.timestamp), scratch, list)
        if reduction != .none || record.hasTooManyHeaders {
            list.append("ameron-dead-letter-truncated", ByteView("true"))
        }
    }

    private static func add(_ name: StaticString, _ number: Int, _ scratch: ByteBuffer, _ list: KafkaHeaderList) {
        scratch.removeAll()
        scratch.append(decimal: number)
        list.append(name, scratch.view)
    }
}
