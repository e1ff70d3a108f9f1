"""A Model Service that streams: PORT. What is asked for stands in the path: /CHUNKS/MILLISECONDS, or /bytes/MEBIBYTES.

Each chunk is a server-sent event that says when it was sent, in nanoseconds of the monotonic clock.
"""
import asyncio
import sys
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
FILL = "x" * 100
MEBIBYTE = b"data: " + b"y" * ((1 << 20) - 8) + b"\n\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                           if line.startswith(b"content-length:")), 0)
            await reader.readexactly(length)
            first, second = head.split()[1].decode().strip("/").split("/")[-2:]
            writer.write(HEAD)
            if first == "bytes":
                for _ in range(int(second)):
                    writer.write(chunk(MEBIBYTE))
                    await writer.drain()
            else:
                due, pause = time.monotonic(), float(second) / 1000
                for number in range(int(first)):
                    writer.write(chunk(f'data: {{"n":{number},"at":{time.monotonic_ns()},"fill":"{FILL}"}}\n\n'.encode()))
                    due += pause
                    await asyncio.sleep(max(0, due - time.monotonic()))
            writer.write(b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


asyncio.run(main())
