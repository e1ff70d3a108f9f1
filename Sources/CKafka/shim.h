// librdkafka for Swift. Nothing calls it yet: the Kafka Reporter and Provider come next.
#ifndef AMERON_CKAFKA_SHIM_H
#define AMERON_CKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>

#endif
