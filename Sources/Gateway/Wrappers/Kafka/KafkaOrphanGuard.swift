private import CKafka

/// Stops a producer when a broker has lost count of its batches (`KafkaFate.orphaned`), before it sends anything more.
///
/// librdkafka may take that as the end of one batch only, and goes on with what its queue holds: messages would overtake
/// those that were refused. Its reports come too late to stop it. An interceptor's on_acknowledgement is called on the
/// broker's own thread, before it sends again (rd_kafka_dr_msgq in rdkafka_broker.c, 2.0.2): there the producer is made to
/// fail, as after a fatal error of the library's own, and emptied. Each message is then told of, and another producer
/// sends them in their old order.
enum KafkaOrphanGuard {
    /// For a producer that will be made of this configuration.
    static func install(in configuration: OpaquePointer) {
        _ = rd_kafka_conf_interceptor_add_on_new(
            configuration,
            "orphan-guard",
            { client, _, _, _, _ in
                rd_kafka_interceptor_add_on_acknowledgement(
                    client,
                    "orphan-guard",
                    { client, message, _ in
                        stopIfOrphaned(client, message)
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    },
                    nil
                )
            },
            nil
        )
    }
}

/// On a thread of librdkafka's, for each message; no lock of its is held where a broker has refused one.
private func stopIfOrphaned(_ client: OpaquePointer?, _ message: UnsafeMutablePointer<rd_kafka_message_t>?) {
    // Below zero are the library's own, such as for what is purged here.
    guard let client, let error = message?.pointee.err, error.rawValue > 0,
        KafkaFate.table[error.rawValue] == .orphaned
    else { return }
    // From here on, produce throws. (The only way there is to say so; the name is for what it was made for.)
    _ = rd_kafka_test_fatal_error(client, error, "the broker lost count of the producer's batches")
    _ = rd_kafka_purge(
        client,
        RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING
    )
}
