"""Starts MLServer: mlserver_start.py start FOLDER

Its Kafka consumer asks the broker to hold an empty fetch for 1 ms only, as those of the Sidecar and the load do here: the
stand-in broker holds it for the whole time even when something comes, and the default of 500 ms would be all that one
measures. MLServer has no setting for it.
"""
import functools
import sys

import aiokafka
import mlserver.kafka.server as kafka

kafka.AIOKafkaConsumer = functools.partial(aiokafka.AIOKafkaConsumer, fetch_max_wait_ms=1)

from mlserver.cli import main  # noqa: E402

sys.argv[0] = "mlserver"
main()
