"""A DynamoDB that answers the same bytes to every call: the engine's own work is left out.

`python -m benchmarks.stand.dynamodb` reads the answer to GetItem from its first line of input,
prints its port on 127.0.0.1, and ends when its input ends, so that it never outlives its parent.
"""

import os
import socketserver
import sys
import threading
import zlib


class _Answers(socketserver.StreamRequestHandler):
    """One connection, kept alive: the client sends a request, and gets what is ready for it."""

    disable_nagle_algorithm = True
    items: bytes = b""
    nothing: bytes = b""

    def handle(self) -> None:
        while request := self.rfile.readline():
            assert request.startswith(b"POST / "), request
            length, reads = 0, False
            while (line := self.rfile.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                match name.lower():
                    case b"content-length":
                        length = int(value)
                    case b"x-amz-target":
                        reads = value.strip().endswith(b".GetItem")
            self.rfile.read(length)
            self.wfile.write(self.items if reads else self.nothing)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def _response(body: bytes) -> bytes:
    # The check sum is there because DynamoDB sends one, and the client looks at it.
    head = (
        "HTTP/1.1 200 OK\r\n"
        "Server: Server\r\n"
        "Date: Sat, 21 Nov 2026 03:30:00 GMT\r\n"
        "Content-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: keep-alive\r\n"
        "x-amzn-RequestId: 0B1J2K3L4M5N6O7P8Q9R0S1T2UVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
        f"x-amz-crc32: {zlib.crc32(body)}\r\n"
        "\r\n"
    )
    return head.encode() + body


def main() -> None:
    _Answers.items = _response(sys.stdin.buffer.readline().strip())
    _Answers.nothing = _response(b"{}")
    with _Server(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.buffer.read()
        # Open connections are nobody's business any more.
        os._exit(0)


if __name__ == "__main__":
    main()
