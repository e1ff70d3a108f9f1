// What Kafka's Provider and clients count.
extension MetricsPage {
    func writeKafkaProvider(_ kafka: [KafkaMetrics], to body: ByteBuffer) {
        head("ameron_kafka_consumer_lag", "gauge", "Records of the partition that are not answered yet.", body)
        for lag in kafka.flatMap(\.lags) {
            let labels = [("topic", lag.topic), ("partition", String(lag.partition))]
            row("ameron_kafka_consumer_lag", labels, String(lag.records), body)
        }
        head("ameron_kafka_dead_letters_total", "counter", "Requests put into the dead letter topic.", body)
        row("ameron_kafka_dead_letters_total", [], String(kafka.reduce(0) { $0 + $1.deadLetters }), body)
        head("ameron_kafka_retries_total", "counter", "Calls made again after the Model Service failed.", body)
        row("ameron_kafka_retries_total", [], String(kafka.reduce(0) { $0 + $1.retries }), body)
    }

    /// librdkafka's own statistics; nothing before the first have come.
    func writeKafkaClients(_ clients: [KafkaClientStatistics], to body: ByteBuffer) {
        let readings = clients.compactMap { client in client.reading.map { (client.client, $0) } }
        guard !readings.isEmpty else { return }
        func rows(
            _ name: String,
            _ type: String,
            _ help: String,
            _ value: (KafkaClientStatistics.Reading) -> Int
        ) {
            head(name, type, help, body)
            for (client, reading) in readings { row(name, [("client", client)], String(value(reading)), body) }
        }
        rows("ameron_kafka_client_queue_messages", "gauge", "Messages with librdkafka.") { $0.queuedMessages }
        rows("ameron_kafka_client_queue_bytes", "gauge", "Bytes of messages with librdkafka.") { $0.queuedBytes }
        rows("ameron_kafka_client_sent_messages_total", "counter", "Messages sent to brokers.") { $0.sentMessages }
        rows("ameron_kafka_client_sent_bytes_total", "counter", "Bytes of messages sent to brokers.") { $0.sentBytes }
        rows("ameron_kafka_client_received_messages_total", "counter", "Messages from brokers.") { $0.receivedMessages }
        rows("ameron_kafka_client_received_bytes_total", "counter", "Bytes of messages from brokers.") {
            $0.receivedBytes
        }
        head("ameron_kafka_broker_up", "gauge", "1 while the client is connected to the broker.", body)
        for (client, reading) in readings {
            for broker in reading.brokers {
                row("ameron_kafka_broker_up", labels(client, broker), broker.isUp ? "1" : "0", body)
            }
        }
        head("ameron_kafka_broker_rtt_seconds", "gauge", "Mean round trip to the broker in the last interval.", body)
        for (client, reading) in readings {
            for broker in reading.brokers {
                row("ameron_kafka_broker_rtt_seconds", labels(client, broker), "\(broker.roundTripSeconds)", body)
            }
        }
    }

    private func labels(_ client: String, _ broker: KafkaClientStatistics.Broker) -> [(String, String)] {
        [("client", client), ("broker", broker.name)]
    }
}
