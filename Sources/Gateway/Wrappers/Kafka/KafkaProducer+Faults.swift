private import CKafka

extension KafkaProducer {
    /// Lets the producer fail as by a fatal error of the broker (rd_kafka_test_fatal_error(3)). For tests: the mock cluster
    /// brings none about.
    func failFatally() {
        _ = rd_kafka_test_fatal_error(client.pointer, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test")
    }
}
