private import CKafka

extension KafkaConsumer {
    /// What the group has committed; `noOffset` where it has not. Asks the broker and waits for it: not for the request
    /// path.
    func committed(_ partitions: [KafkaPartition], timeoutMilliseconds: Int) throws(KafkaError) -> [KafkaPartition] {
        let list = KafkaPartitionList(partitions)
        let timeout = Int32(clamping: timeoutMilliseconds)
        try KafkaError.check(rd_kafka_committed(client.pointer, list.pointer.list, timeout).rawValue)
        if let error = list.firstError { throw error }
        return list.partitions
    }

    /// The oldest offset, and the one after the newest, as the last fetch told; nil until there was one. Does not wait.
    func watermarks(topic: String, partition: Int32) -> (low: Int64, high: Int64)? {
        var low: Int64 = 0
        var high: Int64 = 0
        let code = rd_kafka_get_watermark_offsets(client.pointer, topic, partition, &low, &high)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0 else { return nil }
        return (max(low, 0), high)
    }

    /// The offset after the newest record of each partition, asked of the brokers. Waits: for command-line tools.
    ///
    /// Not by rd_kafka_query_watermark_offsets, which (in 2.0.2) waits without end for a leader that cannot be reached.
    func queryEnds(
        topic: String,
        partitions: [Int32],
        timeoutMilliseconds: Int
    ) throws(KafkaError) -> [KafkaPartition] {
        let list = KafkaPartitionList(
            partitions.map { KafkaPartition(topic: topic, partition: $0, offset: KafkaPartition.end) }
        )
        let timeout = Int32(clamping: timeoutMilliseconds)
        try KafkaError.check(rd_kafka_offsets_for_times(client.pointer, list.pointer.list, timeout).rawValue)
        if let error = list.firstError { throw error }
        return list.partitions
    }

    /// The numbers of a topic's partitions, asked of a broker. Waits: for command-line tools.
    func partitions(ofTopic topic: String, timeoutMilliseconds: Int) throws(KafkaError) -> [Int32] {
        let handle = try KafkaTopic(topic, client: client)
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let timeout = Int32(clamping: timeoutMilliseconds)
        try KafkaError.check(rd_kafka_metadata(client.pointer, 0, handle.pointer, &metadata, timeout).rawValue)
        defer { rd_kafka_metadata_destroy(metadata) }
        guard let metadata, metadata.pointee.topic_cnt == 1 else { throw .unknownTopic }
        let found = metadata.pointee.topics[0]
        try KafkaError.check(found.err.rawValue)
        return (0..<Int(found.partition_cnt)).map { found.partitions[$0].id }
    }

    /// Reads all partitions of a topic from their oldest record on, outside any group. Waits for the broker.
    func assignFromBeginning(_ topic: String, timeoutMilliseconds: Int = 5_000) throws(KafkaError) {
        let partitions = try partitions(ofTopic: topic, timeoutMilliseconds: timeoutMilliseconds)
        try assign(partitions.map { KafkaPartition(topic: topic, partition: $0, offset: KafkaPartition.beginning) })
    }

    /// Reads all partitions of a topic from what comes after this call on, outside any group. Waits for the broker: the
    /// ends are known when it returns.
    func assignFromEnd(_ topic: String, timeoutMilliseconds: Int = 5_000) throws(KafkaError) {
        let partitions = try partitions(ofTopic: topic, timeoutMilliseconds: timeoutMilliseconds)
        let ends = try queryEnds(topic: topic, partitions: partitions, timeoutMilliseconds: timeoutMilliseconds)
        try assign(ends)
    }
}

extension UnsafeMutableRawPointer {
    /// The pointer of a `KafkaPartitionList` as C wants it.
    fileprivate var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t> {
        assumingMemoryBound(to: rd_kafka_topic_partition_list_t.self)
    }
}
