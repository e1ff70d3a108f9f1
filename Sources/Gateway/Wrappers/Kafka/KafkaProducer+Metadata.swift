private import CKafka

extension KafkaProducer {
    /// What the brokers have against a topic, or against one of its partitions, or why they cannot be asked; nil: nothing.
    ///
    /// Waits up to so long: for a thread that has nothing better to do (rd_kafka_metadata(3)).
    func trouble(with topic: KafkaTopic, timeoutMilliseconds: Int) -> KafkaError? {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let timeout = Int32(clamping: timeoutMilliseconds)
        let code = rd_kafka_metadata(client.pointer, 0, topic.pointer, &metadata, timeout)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { return KafkaError(code: code.rawValue) }
        defer { rd_kafka_metadata_destroy(metadata) }
        guard metadata.pointee.topic_cnt == 1 else { return .unknownTopic }
        let found = metadata.pointee.topics[0]
        if found.err != RD_KAFKA_RESP_ERR_NO_ERROR { return KafkaError(code: found.err.rawValue) }
        for index in 0..<Int(found.partition_cnt) {
            let error = found.partitions[index].err
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { return KafkaError(code: error.rawValue) }
        }
        return nil
    }
}
