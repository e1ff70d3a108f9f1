#!/usr/bin/env python3
r"""Fuzz inputs, many in one file: an input a line, `\r`, `\n`, `\t`, `\\` and `\xNN` for what is not printable ASCII.

  corpus.py unpack FILE FOLDER    writes each input to a file of its own, named by its content
  corpus.py pack FILE FOLDER...   writes the file anew from all the inputs in the folders, in order of length, then bytes
  corpus.py list FILE [TEXT]      numbers and lengths of the inputs, of those that hold the text
"""
import hashlib
import pathlib
import re
import sys

SHORT = {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t", 0x5C: "\\\\"}
LONG = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}


def escape(data):
    return "".join(SHORT.get(b) or (chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}") for b in data)


def unescape(line):
    def byte(match):
        return bytes([int(match[2], 16)]) if match[2] else LONG[match[1].decode()]

    return re.sub(rb"\\(x([0-9a-f]{2})|.)", byte, line.encode("ascii"))


def read(path):
    return [unescape(line) for line in pathlib.Path(path).read_text("ascii").splitlines()]


def main(command, path, *rest):
    if command == "unpack":
        folder = pathlib.Path(rest[0])
        folder.mkdir(parents=True, exist_ok=True)
        for data in read(path):
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
    elif command == "pack":
        found = {file.read_bytes() for folder in rest for file in pathlib.Path(folder).iterdir() if file.is_file()}
        found.discard(b"")
        inputs = sorted(found, key=lambda data: (len(data), data))
        pathlib.Path(path).write_text("".join(escape(data) + "\n" for data in inputs), "ascii")
        print(f"{path}: {len(inputs)} inputs, {sum(map(len, inputs))} bytes")
    elif command == "list":
        for number, data in enumerate(read(path)):
            line = escape(data)
            if not rest or rest[0] in line:
                print(f"{number:5} {len(data):5} {line[:100]}")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 2 else sys.exit(__doc__)
