"""What a connection's bytes say under RFC 9112: the requests, and how the last of them ends that is not whole.

As strict as docs/decisions/0012-request-reader.md. `Tests/GatewayTests/HTTPServer/ReferenceRequest.swift` says the same in
Swift; both are held to the public collections in Tests/requests.
"""
import collections
import re

# Fields are pairs of bytes; target is as it came, path without its query.
Request = collections.namedtuple("Request", "method target path query version fields body keeps_alive")

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"([A-Z_-]+) ([^\x00-\x20\x7f#]+) HTTP/([0-9])\.([0-9])")
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*", re.DOTALL)
CHUNK = re.compile(rb"([0-9a-fA-F]+)[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?", re.DOTALL)
NAME = rb"(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+"
ADDRESS = rb"\[[A-Za-z0-9._~!$&'()*+;=:-]+\]"
AUTHORITY = re.compile(rb"(?:" + NAME + rb"|" + ADDRESS + rb")(?::[0-9]*)?")


class Incomplete(Exception):
    """The bytes end within the request."""


class Refused(Exception):
    """Has the status of the answer."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Reader:
    def __init__(self, data, max_head, max_body):
        self.data, self.at, self.max_head, self.max_body = data, 0, max_head, max_body

    def line(self, longest, status):
        end = self.data.find(b"\n", self.at)
        if end < 0:
            if len(self.data) - self.at > longest:
                raise Refused(status)
            raise Incomplete
        if end + 1 - self.at > longest:
            raise Refused(status)
        line = self.data[self.at:end]
        if not line.endswith(b"\r"):
            raise Refused(400)
        self.at = end + 1
        return line[:-1]

    def request(self):
        start = self.at
        line = b""
        for _ in range(9):
            if not line:
                if not re.match(rb"[A-Z_\r-]|\Z", self.data[self.at:self.at + 1]):
                    raise Refused(400)
                line = self.line(self.max_head - (self.at - start), 414)
        match = REQUEST_LINE.fullmatch(line)
        if not match:
            raise Refused(400)
        method, target, major, minor = match.groups()
        if major != b"1":
            raise Refused(505)
        path, query = split_target(method, target)
        fields, hosts, lengths = [], [], []
        while line := self.line(self.max_head - (self.at - start), 431):
            if len(fields) == 100:
                raise Refused(431)
            name, value = field(line)
            fields.append((name, value))
            if name.lower() == b"host":
                hosts.append(value)
            if name.lower() == b"content-length":
                lengths.append(value)
            if sum(one.lower() == name.lower() for one, _ in fields) > 1 and name.lower() in (b"expect", b"authorization"):
                raise Refused(400)
            if len(hosts) > 1 or len(lengths) > 1 or not all(re.fullmatch(rb"[0-9]+", one) for one in lengths):
                raise Refused(400)
            if hosts and hosts[0] and not AUTHORITY.fullmatch(hosts[0]):
                raise Refused(400)
        body_of = self.framing(minor, fields, hosts, lengths)
        options = [one.strip(b" \t").lower() for name, value in fields if name.lower() == b"connection"
                   for one in value.split(b",")]
        keeps = b"close" not in options and (minor != b"0" or b"keep-alive" in options)
        return Request(method, target, path, query, b"1." + minor, fields, body_of(), keeps)

    def framing(self, minor, fields, hosts, lengths):
        if minor != b"0" and not hosts:
            raise Refused(400)
        codings = [value for name, value in fields if name.lower() == b"transfer-encoding"]
        if not codings:
            return lambda: self.sized(int(lengths[0]) if lengths and len(lengths[0]) < 4000 else 10 ** 18 if lengths else 0)
        if lengths or minor == b"0":
            raise Refused(400)
        if [one.lower() for one in codings] != [b"chunked"]:
            raise Refused(501)
        return self.chunked

    def sized(self, length):
        if length > self.max_body:
            raise Refused(413)
        if len(self.data) - self.at < length:
            raise Incomplete
        self.at += length
        return self.data[self.at - length:self.at]

    def chunked(self):
        body, excess = b"", 0
        while True:
            line = self.line(4096, 400)
            match = CHUNK.fullmatch(line)
            if not match:
                raise Refused(400)
            size = int(match[1], 16)
            if size > self.max_body - len(body):
                raise Refused(413)
            excess = max(0, excess + len(line) - 16 - 2 * size)
            if excess > 16 << 10:
                raise Refused(400)
            if size == 0:
                break
            body += self.data[self.at:self.at + size]
            self.at = min(self.at + size, len(self.data))
            end = self.data[self.at:self.at + 2]
            if not b"\r\n".startswith(end):
                raise Refused(400)
            if len(end) < 2:
                raise Incomplete
            self.at += 2
        start, count = self.at, 0
        while line := self.line(self.max_head - (self.at - start), 400):
            count += 1
            if count > 100:
                raise Refused(431)
            field(line)
        return body


def split_target(method, target):
    """Path and query, or 400."""
    rest = target
    if method == b"CONNECT":
        if AUTHORITY.fullmatch(target) and re.search(rb"[^:]:[0-9]+\Z", target):
            return target, b""
        raise Refused(400)
    if method == b"OPTIONS" and target == b"*":
        return target, b""
    if not target.startswith(b"/"):
        match = re.match(rb"(?i:https?)://([^/?]+)", target)
        if not match or not AUTHORITY.fullmatch(match[1]):
            raise Refused(400)
        rest = target[match.end():]
    path, _, query = rest.partition(b"?")
    return path, query


def field(line):
    match = FIELD.fullmatch(line)
    if not match:
        raise Refused(400)
    return match.groups()


def read(data, max_head=8 << 10, max_body=16 << 20):
    """The whole requests, in order; and "closed" after one that is the last, "incomplete", or the status of a refusal."""
    reader = Reader(data, max_head, max_body)
    requests = []
    while True:
        try:
            requests.append(reader.request())
        except Incomplete:
            return requests, "incomplete"
        except Refused as refusal:
            return requests, refusal.status
        if not requests[-1].keeps_alive:
            return requests, "closed"


def describe(data):
    """As in Tests/requests: methods and lengths of bodies, and the end where it is not a whole request's."""
    requests, end = read(data)
    words = [f"{one.method.decode()} {len(one.body)}" for one in requests]
    if end == "incomplete" and (rest_of(data, requests) or not requests):
        words.append("cut off")
    elif end not in ("incomplete", "closed"):
        words.append(str(end))
    return ", ".join(words)


def rest_of(data, requests):
    """What follows the whole requests, empty lines aside."""
    reader = Reader(data, 8 << 10, 16 << 20)
    for _ in requests:
        reader.request()
    return data[reader.at:].lstrip(b"\r\n")
