"""What clients send in `smuggling.py`: the public collections in Tests/requests, and as many generated inputs as are wanted."""
import json
import pathlib
import random
import re

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "requests"
PATHS = [b"/v1/models/m:predict", b"/v1/models/c:predict"]
# A line that begins a request, whatever is wrong about it.
REQUEST_LINE = re.compile(rb"(?<![^\r\n])([ \t]*)([A-Z]{3,8})( +|\t)((?:[a-z]+://[^/ \r\n]*)?)/[^ \r\n\t?]*")


def values(each):
    for part in each.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def expand(parts, value):
    if isinstance(parts, str):
        return parts.encode("latin1")
    joined = b""
    for part in parts:
        if part is None:
            joined += bytes([value])
        elif isinstance(part, str):
            joined += part.encode("latin1")
        else:
            joined += part[0].encode("latin1") * part[1]
    return joined


def public():
    """Name, bytes and what our reader should make of them, of each public input."""
    for file in sorted(FOLDER.glob("*.json")):
        for case in json.loads(file.read_text()):
            for value in values(case["each"]) if "each" in case else [0]:
                name = f"{file.stem}: {case['name']}" + (f"{value:02x}" if "each" in case else "")
                yield name, expand(case["bytes"], value), case["ours"]


def aimed(data, path):
    """The same requests, all of them to one path, by POST: only those reach a model."""
    def aim(match):
        method = match[2] if match[2] in (b"CONNECT", b"TRACE", b"PRI") else b"POST"
        return match[1] + method + match[3] + match[4] + path

    return REQUEST_LINE.sub(aim, data)


# ---- generated ---------------------------------------------------------------------------------------------------
HIDDEN = b"POST %s HTTP/1.1\r\nHost: h\r\nX-Hidden: 1\r\nContent-Length: 2\r\n\r\n{}"
NAMES = [b"Content-Length", b"Transfer-Encoding", b"Host", b"Connection", b"X-A", b"Expect", b"X-Request-Id", b"Trailer",
         b"content-length", b"TRANSFER-ENCODING", b"Transfer_Encoding", b"Content_Length", b"Keep-Alive", b"Upgrade", b"TE",
         b"X-User", b"Cookie", b"Content-Type", b"Proxy-Connection", b"X-Forwarded-For"]
VALUES = [b"chunked", b"Chunked", b"gzip, chunked", b"chunked, chunked", b"identity", b"0", b"2", b"3", b"30", b"+3", b"3,3",
          b"003", b"0x3", b"close", b"keep-alive", b"keep-alive, X-A", b"Content-Length", b"close, Host", b"100-continue", b"a",
          b"", b"a b", b"a\xe9b", b"\x85chunked\xa0", b"18446744073709551618", b"h2c", b"trailers", b"a:80", b"[::1]:80", b"a,b"]
WRONG = [b"\r", b"\n", b"\0", b"\t", b" ", b"\x0b", b"\x7f", b"\x85", b"\xa0", b":", b",", b";", b"\r\n ", b"\r\n\t", b"\r\r\n", b"\n\r\n",
         b"\r\n:", b"\r\n: a", b"\xff", b"#", b"?", b"%00", b"%0d%0a", b"_", b"-"]
SIZES = [b"0", b"2", b"3", b"5", b"1e", b"002", b"+2", b"0x2", b"2 ", b" 2", b"2;a=b", b"2;a\n", b"2\r", b"ffffffffffffffff", b"2_0", b"", b"-2"]


class Generator:
    """The same inputs for the same seed."""

    def __init__(self, seed, examples):
        self.random = random.Random(seed)
        self.examples = examples

    def line(self):
        r = self.random
        name, value = r.choice(NAMES), r.choice(VALUES)
        if r.random() < 0.15:
            at = r.randint(0, len(name))
            name = name[:at] + r.choice(WRONG) + name[at:]
        if r.random() < 0.15:
            at = r.randint(0, len(value))
            value = value[:at] + r.choice(WRONG) + value[at:]
        return name + r.choice([b": ", b": ", b": ", b":", b" :", b":\t", b" : "]) + value + r.choice([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n"])

    def chunk(self, data):
        r = self.random
        size = b"%x" % len(data) if r.random() < 0.8 else r.choice(SIZES)
        extension = r.choice([b""] * 6 + [b";a=b", b"; a", b" ", b"\t;x\xe9", b";\r", b";\n"])
        end = r.choice([b"\r\n"] * 14 + [b"\n", b"\r", b"", b"XX"])
        return size + extension + r.choice([b"\r\n"] * 14 + [b"\n", b"\r"]) + data + end

    def body(self, path):
        """The lines that frame it, and its bytes."""
        r = self.random
        data = r.choice([b"", b"{}", b'{"instances":[1]}', HIDDEN % path, b"0\r\n\r\n", b"0\r\n\r\n" + HIDDEN % path])
        if r.random() < 0.5:
            length = len(data) if r.random() < 0.85 else r.choice([0, 2, 3, len(data) + 5, 10 ** 18])
            return b"Content-Length: %d\r\n" % length, data
        cuts = sorted(r.sample(range(len(data) + 1), min(r.randint(0, 2), len(data))))
        parts = [data[a:b] for a, b in zip([0] + cuts, cuts + [len(data)]) if b > a]
        trailer = r.choice([b""] * 6 + [b"X-T: a\r\n", b"X Y: z\r\n", b": a\r\n", b"Content-Length: 3\r\n"])
        last = r.choice([b"0"] * 9 + [b"00", b"0;a", b"-0", b"0x0"])
        return b"Transfer-Encoding: chunked\r\n", b"".join(map(self.chunk, parts)) + last + b"\r\n" + trailer + b"\r\n"

    def request(self, path):
        r = self.random
        method = r.choice([b"POST"] * 16 + [b"GET", b"HEAD", b"post", b"PO ST", b"OPTIONS"])
        target = path + r.choice([b""] * 12 + [b"?a=b", b"?\xe9", b"?a=b#c", b"/../x", b"%20", b"?%zz", b"\\", b"//"])
        target = r.choice([b""] * 12 + [b"http://a", b"HTTP://a:80", b"http://u@a", b"//a"]) + target
        version = r.choice([b"HTTP/1.1"] * 16 + [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/1.1 ", b"http/1.1", b""])
        space = r.choice([b" "] * 20 + [b"  ", b"\t"])
        lines = [b"Host: a\r\n"] if r.random() < 0.95 else []
        lines += [self.line() for _ in range(r.choice([0, 0, 1, 1, 2, 3]))]
        framing, body = self.body(path)
        if r.random() < 0.95:
            lines.append(framing)
        r.shuffle(lines)
        first = r.choice([b""] * 20 + [b"\r\n", b"\r\n\r\n", b"\n", b" "])
        return first + method + space + target + space + version + b"\r\n" + b"".join(lines) + b"\r\n" + body

    def change(self, data):
        """One byte or a few, anywhere."""
        r = self.random
        at = r.randint(0, len(data))
        end = min(len(data), at + r.choice([0, 1, 1, 2, 10]))
        kind = r.randint(0, 3)
        if kind == 0:
            return data[:at] + r.choice(WRONG) + data[end:]
        if kind == 1:
            return data[:at] + data[end:]
        if kind == 2:
            return data[:at] + bytes([r.randrange(256)]) + data[at + 1:]
        return data[:end] + data[at:]

    def input(self, path):
        r = self.random
        if r.random() < 0.3:
            data = aimed(r.choice(self.examples), path)
        else:
            data = b"".join(self.request(path) for _ in range(r.choice([1, 1, 1, 2, 3])))
        for _ in range(r.choice([0, 0, 1, 1, 2])):
            data = self.change(data)
        # A good one at the end, which must be read as what it is, or not at all.
        return data + (HIDDEN % path if r.random() < 0.3 else b"")
