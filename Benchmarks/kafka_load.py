"""Requests over Kafka and their replies, from the load core: a closed loop with a window, and a constant rate."""
import time

import upstream
from faults import BenchError

WINDOW = 1000
# The stand-in broker answers a fetch that finds nothing after this time only, even when something comes meanwhile.
FETCH_WAIT_MS = 1


class KafkaLoad:
    """One topic for requests and one for replies, of one partition each. Replies are told apart by their keys."""

    def __init__(self, broker_port, request_topic, reply_topic, linger_ms=0):
        from confluent_kafka import Consumer, Producer, TopicPartition
        brokers = {"bootstrap.servers": f"127.0.0.1:{broker_port}"}
        self.request_topic = request_topic
        self.producer = Producer({**brokers, "linger.ms": linger_ms, "queue.buffering.max.messages": 100000})
        self.consumer = Consumer({**brokers, "group.id": f"bench-{reply_topic}", "enable.auto.commit": False,
                                  "fetch.wait.max.ms": FETCH_WAIT_MS, "fetch.error.backoff.ms": 1})
        _, end = self.consumer.get_watermark_offsets(TopicPartition(reply_topic, 0), timeout=10)
        self.consumer.assign([TopicPartition(reply_topic, 0, end)])
        self.next = 0
        self.failed = 0

    def close(self):
        self.producer.flush(2)
        self.consumer.close()

    def send(self):
        self.producer.produce(self.request_topic, upstream.V2_BODY, key=b"%d" % self.next,
                              headers=[("mlserver-model", b"fixed")])
        self.next += 1

    def receive(self, within):
        """The number of the request that was answered; None where nothing came."""
        message = self.consumer.poll(within)
        if message is None:
            return None
        if message.error():
            raise BenchError(f"Kafka: {message.error()}")
        if b'"outputs"' not in message.value():
            self.failed += 1
        return int(message.key())

    def first_answer(self, within):
        """Asks until something is answered, then waits for what is still out."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            self.send()
            self.producer.poll(0)
            if self.receive(0.25) is not None:
                while self.receive(0.5) is not None:
                    pass
                self.failed = 0
                return
        raise BenchError(f"no reply over Kafka within {within} s")

    def closed(self, seconds, window=WINDOW):
        """As fast as they are answered with `window` out: how many were answered, and in which time."""
        first, self.failed = self.next, 0
        answered, start = 0, time.monotonic()
        stop, give_up = start + seconds, start + seconds + 10
        last = start
        while True:
            now = time.monotonic()
            while now < stop and self.next - first - answered < window:
                self.send()
            self.producer.poll(0)
            if self.receive(0.01) is not None:
                answered += 1
                last = time.monotonic()
                while self.receive(0) is not None:
                    answered += 1
            elif now >= stop and answered >= self.next - first or now > give_up:
                break
        return {"sent": self.next - first, "answered": answered, "failed": self.failed, "seconds": last - start}

    def constant(self, rate, seconds):
        """One request each 1 / rate seconds; latencies in microseconds from the moment each was due."""
        first, self.failed = self.next, 0
        total = int(rate * seconds)
        latencies, seen, sent = [], 0, 0
        start = time.monotonic()
        give_up = start + seconds + 10
        while seen < total:
            now = time.monotonic()
            if now > give_up:
                break
            while sent < total and start + sent / rate <= now:
                self.send()
                sent += 1
            self.producer.poll(0)
            until = start + sent / rate if sent < total else now + 0.05
            number = self.receive(max(0.0, until - time.monotonic()))
            if number is not None:
                seen += 1
                latencies.append((time.monotonic() - start - (number - first) / rate) * 1e6)
        latencies.sort()
        at = {f"p{name}": latencies[min(len(latencies) - 1, int(share * len(latencies)))] if latencies else None
              for name, share in (("50", 0.5), ("90", 0.9), ("99", 0.99), ("999", 0.999))}
        return {"sent": sent, "answered": seen, "failed": self.failed, **at}
