// librdkafka for Swift: its headers, and fixed signatures for what Swift cannot call.
#ifndef AMERON_CKAFKA_SHIM_H
#define AMERON_CKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>
// After rdkafka.h, which it needs.
#include <librdkafka/rdkafka_mock.h>

/// One answer of one broker of the mock cluster; the library's own function is variadic.
static inline rd_kafka_resp_err_t CKafka_mock_broker_push_request_error(
    rd_kafka_mock_cluster_t *_Nonnull cluster, int32_t broker, int16_t api, rd_kafka_resp_err_t error, int rtt_ms) {
    return rd_kafka_mock_broker_push_request_error_rtts(cluster, broker, api, 1, error, rtt_ms);
}

#endif
