// What Kafka's Provider and clients count.
extension MetricsPage {
    func lags() -> MetricsStream.Section {
        let name: StaticString = "ameron_kafka_consumer_lag"
        var lags: [KafkaMetrics.Lag] = []
        return { [kafka] part, body in
            if part == 0 {
                body.appendHead(name, "gauge", "Records of the partition that are not answered yet.")
                lags = kafka.flatMap(\.lags)
            }
            for row in Self.rows(part, of: lags.count) {
                let lag = lags[row]
                let labels = MetricsLabels.text(["topic": lag.topic, "partition": String(lag.partition)])
                body.appendRow(name, labels, Int(lag.records))
            }
            return (part + 1) * Self.rowsPerPart < lags.count
        }
    }

    func writeKafkaProvider(to body: ByteBuffer) {
        body.appendHead("ameron_kafka_dead_letters_total", "counter", "Requests put into the dead letter topic.")
        body.appendRow("ameron_kafka_dead_letters_total", kafka.reduce(0) { $0 + $1.deadLetters })
        body.appendHead("ameron_kafka_retries_total", "counter", "Calls made again after the Model Service failed.")
        body.appendRow("ameron_kafka_retries_total", kafka.reduce(0) { $0 + $1.retries })
    }

    /// librdkafka's own statistics; nothing before the first have come.
    func kafkaClientSections() -> [MetricsStream.Section] {
        [
            figure("ameron_kafka_client_queue_messages", "gauge", "Messages with librdkafka.") { $0.queuedMessages },
            figure("ameron_kafka_client_queue_bytes", "gauge", "Bytes of messages with librdkafka.") { $0.queuedBytes },
            figure("ameron_kafka_client_sent_messages_total", "counter", "Messages sent to brokers.") {
                $0.sentMessages
            },
            figure("ameron_kafka_client_sent_bytes_total", "counter", "Bytes of messages sent to brokers.") {
                $0.sentBytes
            },
            figure("ameron_kafka_client_received_messages_total", "counter", "Messages from brokers.") {
                $0.receivedMessages
            },
            figure("ameron_kafka_client_received_bytes_total", "counter", "Bytes of messages from brokers.") {
                $0.receivedBytes
            },
            brokers("ameron_kafka_broker_up", "1 while the client is connected to the broker.") {
                $2.appendRow("ameron_kafka_broker_up", $1, $0.isUp ? 1 : 0)
            },
            brokers("ameron_kafka_broker_rtt_seconds", "Mean round trip to the broker in the last interval.") {
                $2.appendRow("ameron_kafka_broker_rtt_seconds", $1, nanoseconds: Int($0.roundTripSeconds * 1e9))
            },
        ]
    }

    private func figure(
        _ name: StaticString,
        _ type: StaticString,
        _ help: StaticString,
        _ value: @escaping (KafkaClientStatistics.Reading) -> Int
    ) -> MetricsStream.Section {
        clients(name, type, help) { client, reading, body in
            body.appendRow(name, MetricsLabels.text(["client": client]), value(reading))
        }
    }

    private func brokers(
        _ name: StaticString,
        _ help: StaticString,
        _ write: @escaping (KafkaClientStatistics.Broker, _ labels: [UInt8], ByteBuffer) -> Void
    ) -> MetricsStream.Section {
        clients(name, "gauge", help) { client, reading, body in
            for broker in reading.brokers {
                write(broker, MetricsLabels.text(["client": client, "broker": broker.name]), body)
            }
        }
    }

    /// One client a part.
    private func clients(
        _ name: StaticString,
        _ type: StaticString,
        _ help: StaticString,
        _ write: @escaping (String, KafkaClientStatistics.Reading, ByteBuffer) -> Void
    ) -> MetricsStream.Section {
        var hasHead = false
        return { [kafkaClients] part, body in
            guard part < kafkaClients.count else { return false }
            if let reading = kafkaClients[part].reading {
                if !hasHead { body.appendHead(name, type, help) }
                hasHead = true
                write(kafkaClients[part].client, reading, body)
            }
            return part + 1 < kafkaClients.count
        }
    }
}
