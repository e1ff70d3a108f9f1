"""What makes a run fail: a scenario that cannot go on raises BenchError; what spoils a figure is noted and goes on."""


class BenchError(Exception):
    pass


class Faults:
    def __init__(self):
        self.messages = []

    def add(self, message):
        self.messages.append(message)
        print(f"FAULT {message}", flush=True)
