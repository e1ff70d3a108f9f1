private import CKafka

/// librdkafka's mock cluster: brokers in this process, on ports of loopback that it chooses, with records in memory only.
/// It knows neither SASL nor TLS, and creates topics of 4 partitions when they are named (rdkafka_mock.h).
final class KafkaMockCluster: @unchecked Sendable {
    // Sendable: all of these functions take the cluster's lock or hand the work to its thread.
    private let client: OpaquePointer
    private let cluster: OpaquePointer

    /// `host:port,host:port`; broker ids count from 1 in this order.
    let bootstrapServers: String

    init(brokers: Int = 1) throws(KafkaSettingError) {
        let configuration: OpaquePointer = rd_kafka_conf_new()
        // Its log would go to standard error.
        rd_kafka_conf_set_log_cb(configuration, nil)
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)
            throw KafkaSettingError(property: "kafka", reason: String(cCharacters: text))
        }
        guard let cluster = rd_kafka_mock_cluster_new(client, Int32(clamping: brokers)) else {
            rd_kafka_destroy(client)
            throw KafkaSettingError(property: "brokers", reason: "a cluster of \(brokers) cannot be made")
        }
        self.client = client
        self.cluster = cluster
        bootstrapServers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    func createTopic(_ name: String, partitions: Int, replication: Int = 1) throws(KafkaError) {
        try KafkaError.check(
            rd_kafka_mock_topic_create(cluster, name, Int32(clamping: partitions), Int32(clamping: replication))
                .rawValue
        )
    }

    /// Answers the next requests of this kind (a number of the Kafka protocol: Produce is 0, Fetch 1) with these errors,
    /// by whichever broker gets them; the library's own -195 (transport) breaks the connection.
    func pushErrors(apiKey: Int16, _ codes: [Int32]) {
        let errors = codes.map { rd_kafka_resp_err_t($0) }
        rd_kafka_mock_push_request_errors_array(cluster, apiKey, errors.count, errors)
    }

    /// The same for one broker, each with a delay of its own; error 0 is a good answer.
    func pushErrors(apiKey: Int16, broker: Int32, _ answers: [(error: Int32, rttMs: Int32)]) throws(KafkaError) {
        for (error, rtt) in answers {
            try KafkaError.check(
                CKafka_mock_broker_push_request_error(cluster, broker, apiKey, rd_kafka_resp_err_t(error), rtt).rawValue
            )
        }
    }

    func clearErrors(apiKey: Int16) { rd_kafka_mock_clear_request_errors(cluster, apiKey) }

    /// Lets all requests on a topic fail; 0: lets them succeed again.
    func setTopicError(_ topic: String, _ code: Int32) {
        rd_kafka_mock_topic_set_error(cluster, topic, rd_kafka_resp_err_t(code))
    }

    /// -1: the partition has no leader.
    func setPartitionLeader(topic: String, partition: Int32, broker: Int32) throws(KafkaError) {
        try KafkaError.check(rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker).rawValue)
    }

    func setCoordinator(group: String, broker: Int32) throws(KafkaError) {
        try KafkaError.check(rd_kafka_mock_coordinator_set(cluster, "group", group, broker).rawValue)
    }

    /// Down: breaks the broker's connections and refuses new ones.
    func setBroker(_ broker: Int32, down: Bool) throws(KafkaError) {
        let code =
            down ? rd_kafka_mock_broker_set_down(cluster, broker) : rd_kafka_mock_broker_set_up(cluster, broker)
        try KafkaError.check(code.rawValue)
    }

    /// Delays each answer of the broker.
    func setBroker(_ broker: Int32, rttMilliseconds: Int) throws(KafkaError) {
        try KafkaError.check(
            rd_kafka_mock_broker_set_rtt(cluster, broker, Int32(clamping: rttMilliseconds)).rawValue
        )
    }

    /// Limits the versions of a request that the brokers say they know; -1, -1: none.
    func setApiVersion(apiKey: Int16, minimum: Int16, maximum: Int16) throws(KafkaError) {
        try KafkaError.check(rd_kafka_mock_set_apiversion(cluster, apiKey, minimum, maximum).rawValue)
    }
}
