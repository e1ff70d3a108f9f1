private import CKafka

/// Reads topics, as a member of a group or by itself. Confined to one thread.
///
/// With `wake` given, its descriptor becomes readable when events wait: clear it, then call `poll` until it returns false.
/// It must be polled at least every `max.poll.interval.ms` also when nothing comes, or the group takes its partitions away.
/// `group.id` must be set also where no group is joined.
final class KafkaConsumer {
    let client: KafkaClient
    /// Those of which an offset was stored.
    private var topics: [String: KafkaTopic] = [:]

    init(settings: KafkaSettings, wake: EventFD?) throws(KafkaSettingError) {
        client = try KafkaClient(.consumer, settings: settings, wake: wake)
    }

    /// Joins the group; partitions come as `.rebalance` events.
    func subscribe(_ topics: [String]) throws(KafkaError) {
        let list = KafkaPartitionList(topics.map { KafkaPartition(topic: $0, partition: -1) })
        try KafkaError.check(rd_kafka_subscribe(client.pointer, list.pointer.list).rawValue)
        client.subscribed()
    }

    /// Handles what waits, at most `limit` events, each with at most one record. True: there may be more.
    func poll(limit: Int, _ body: (KafkaEvent) -> Void) -> Bool {
        client.poll(limit: limit, timeoutMilliseconds: 0, body)
    }

    /// As `poll`, but waits for the first event: for command-line tools.
    func poll(limit: Int, timeoutMilliseconds: Int, _ body: (KafkaEvent) -> Void) -> Bool {
        client.poll(limit: limit, timeoutMilliseconds: timeoutMilliseconds, body)
    }

    /// The error after which the consumer can do no more and must be replaced; nil while there is none.
    func fatalError() -> KafkaError? { client.fatalError() }

    /// Begins to leave the group, having committed what was stored. Poll (a `.rebalance` to revoke may come and must be
    /// answered) until `isClosed`, then let go of the object. Without this call the end of the object tries to do the same, for
    /// at most a second.
    func beginClose() throws(KafkaError) {
        // The events go on coming through the consumer's own queue.
        try KafkaError.check(rd_kafka_consumer_close_queue(client.pointer, client.queue))
    }

    var isClosed: Bool { rd_kafka_consumer_closed(client.pointer) != 0 }

    /// Says that all before `offset` is done: the next record to read is there. It is committed at the next interval of
    /// `auto.commit.interval.ms`, and when the partition or the group is left. Needs `enable.auto.offset.store=false`.
    ///
    /// - Throws: `.state` where the partition is not assigned, `.unknownPartition` where the topic has none of that number.
    func storeOffset(topic: String, partition: Int32, offset: Int64) throws(KafkaError) {
        let handle: KafkaTopic
        if let known = topics[topic] {
            handle = known
        } else {
            handle = try KafkaTopic(topic, client: client)
            topics[topic] = handle
        }
        // By the handle: a list of partitions for rd_kafka_offsets_store would have to be made each time, since it holds
        // on to them, which keeps the client from ending. This call takes the last offset that is done, not the next one.
        try KafkaError.check(rd_kafka_offset_store(handle.pointer, partition, offset - 1).rawValue)
    }
}

@available(*, unavailable)
extension KafkaConsumer: Sendable {}

// MARK: - Partitions

extension KafkaConsumer {
    /// Does what the group asks for, by the group's protocol.
    func accept(_ rebalance: KafkaRebalance) throws(KafkaError) {
        let isCooperative = rebalanceProtocol == "COOPERATIVE"
        switch rebalance.kind {
        case .assign where isCooperative: try incrementalAssign(rebalance.partitions)
        case .assign: try assign(rebalance.partitions)
        case .revoke where isCooperative: try incrementalUnassign(rebalance.partitions)
        case .revoke: try unassign()
        }
    }

    /// COOPERATIVE, EAGER, or NONE where no group is joined.
    var rebalanceProtocol: String { ByteView(cString: rd_kafka_rebalance_protocol(client.pointer)).string }

    /// Whether the group has already given the partitions to others, so that nothing can be committed.
    var assignmentLost: Bool { rd_kafka_assignment_lost(client.pointer) != 0 }

    func assignment() throws(KafkaError) -> [KafkaPartition] {
        var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        try KafkaError.check(rd_kafka_assignment(client.pointer, &list).rawValue)
        return list.map { KafkaPartitionList(consuming: $0).partitions } ?? []
    }

    /// Reads these partitions and no others, each from its offset on.
    func assign(_ partitions: [KafkaPartition]) throws(KafkaError) {
        let list = KafkaPartitionList(partitions)
        try KafkaError.check(rd_kafka_assign(client.pointer, list.pointer.list).rawValue)
    }

    func unassign() throws(KafkaError) { try KafkaError.check(rd_kafka_assign(client.pointer, nil).rawValue) }

    func incrementalAssign(_ partitions: [KafkaPartition]) throws(KafkaError) {
        let list = KafkaPartitionList(partitions)
        try KafkaError.check(rd_kafka_incremental_assign(client.pointer, list.pointer.list))
    }

    func incrementalUnassign(_ partitions: [KafkaPartition]) throws(KafkaError) {
        let list = KafkaPartitionList(partitions)
        try KafkaError.check(rd_kafka_incremental_unassign(client.pointer, list.pointer.list))
    }

    /// Stops fetching; what was fetched already is thrown away and fetched again later.
    func pause(_ partitions: [KafkaPartition]) throws(KafkaError) {
        let list = KafkaPartitionList(partitions)
        try KafkaError.check(rd_kafka_pause_partitions(client.pointer, list.pointer.list).rawValue)
        if let error = list.firstError { throw error }
    }

    func resume(_ partitions: [KafkaPartition]) throws(KafkaError) {
        let list = KafkaPartitionList(partitions)
        try KafkaError.check(rd_kafka_resume_partitions(client.pointer, list.pointer.list).rawValue)
        if let error = list.firstError { throw error }
    }
}

extension UnsafeMutableRawPointer {
    /// The pointer of a `KafkaPartitionList` as C wants it.
    fileprivate var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t> {
        assumingMemoryBound(to: rd_kafka_topic_partition_list_t.self)
    }
}
