"""A Model Service that writes down what it is sent, byte for byte, and answers each request with what it has seen of it."""
import collections
import json
import re
import socket
import threading

# The head as it came, without its empty line; the body without its framing; whether the framing was understood.
Seen = collections.namedtuple("Seen", "head body is_framed")


class Recorder:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.seen = []
        self.connections = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def take(self):
        """What has come since this was asked last."""
        with self.lock:
            seen, self.seen = self.seen, []
        return seen

    def serve(self, connection):
        with self.lock:
            self.connections += 1
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    more = connection.recv(1 << 16)
                    if not more:
                        if data:
                            self.note(Seen(data, b"", False))
                        return
                    data += more
                head, _, data = data.partition(b"\r\n\r\n")
                # As careless as a server may be: the framing that it finds first.
                length = re.search(rb"(?im)^content-length:[ \t]*(\d+)[ \t]*\r?$", head)
                body = b""
                if re.search(rb"(?im)^transfer-encoding:[ \t]*chunked[ \t]*\r?$", head):
                    self.note(Seen(head, b"", False))
                    return
                wanted = int(length[1]) if length else 0
                while len(data) < wanted:
                    more = connection.recv(1 << 16)
                    if not more:
                        self.note(Seen(head, data, False))
                        return
                    data += more
                body, data = data[:wanted], data[wanted:]
                if not head.startswith(b"GET "):
                    self.note(Seen(head, body, True))
                answer = self.answer(head)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                                   % (len(answer), b"" if head.startswith(b"HEAD ") else answer))
        except OSError:
            pass
        finally:
            connection.close()

    def note(self, seen):
        with self.lock:
            self.seen.append(seen)

    @staticmethod
    def answer(head):
        victim = re.search(rb"(?im)^x-victim: ([^\r\n]*)", head)
        value = {"target": head.split(b"\r\n")[0].decode("latin1"), "victim": victim[1].decode("latin1") if victim else None}
        return json.dumps({"predictions": [value]}).encode()
