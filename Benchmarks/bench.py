"""What all scenarios share: the servers, the load, and the contestants that several scenarios ask."""
import time

import contestants
import events
import upstream
from faults import BenchError, Faults
from load import Load
from processes import Processes, wait_for_port


class Bench:
    def __init__(self, settings):
        self.settings = settings
        self.plan = settings.plan
        self.faults = Faults()
        self.notes = []
        self.processes = Processes()
        self.proxy_cores = [settings.proxy_core]
        self.running = {}
        self.broker_port = None
        self.results = {}
        self.started = time.monotonic()

    def begin(self):
        self.load = Load(self)
        self.model = upstream.start_fixed(self)

    def elapsed(self):
        return time.monotonic() - self.started

    def say(self, text):
        print(f"[{self.elapsed():5.0f} s] {text}", flush=True)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)
            self.say(text)

    def need_broker(self):
        """Kafka, on the load core: the Sidecar's stand-in, which keeps the last 5 MiB of each partition."""
        if self.broker_port is None:
            port = self.processes.free_port()
            topics = ["predictions"] + [f"{side}-{phase}-{kind}" for side in ("k2k-off", "k2k-kafka", "k2k-mlserver")
                                        for phase in ("cost", "latency") for kind in ("requests", "replies")]
            options = [option for topic in topics for option in ("--topic", f"{topic}:1")]
            server = self.processes.start(
                "dev-kafka", [self.settings.sidecar, "dev-kafka", "--port", port, *options],
                [self.settings.load_core], port)
            wait_for_port(server)
            self.broker_port = port
        return self.broker_port

    def contestant(self, name):
        """Started on first use; None where it is not present, or a peer that does not come up."""
        if name not in self.running:
            self.running[name] = self.start(name)
        return self.running[name]

    def start(self, name):
        try:
            found = contestants.start(self, name, self.model.port)
        except BenchError as error:
            # Without nginx there is nothing to compare with, without the Sidecar nothing to compare.
            if name not in contestants.OPTIONAL:
                raise
            self.note(f"{contestants.LABELS[name]} not measured: {error}")
            return None
        if found is None:
            self.note(f"{contestants.LABELS[name]}: not present")
        return found

    def present(self, names):
        return [found for found in map(self.contestant, names) if found]

    def stop_contestants(self):
        """So that a later scenario starts from a quiet machine, and with processes that have served nothing yet."""
        for name, contestant in self.running.items():
            if contestant and name != "direct":
                if contestant.is_sidecar and contestant.events:
                    events.settled(contestant.port)
                self.processes.stop(contestant.server)
                if contestant.event_file:
                    contestant.event_file.unlink(missing_ok=True)
        self.running = {}

    def close(self):
        self.processes.close()
