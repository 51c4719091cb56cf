"""HTTP as bytes on a socket: for what no well-behaved client would send."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SECONDS_MAX = 10.0


@dataclass(frozen=True)
class Reply:
    """A response as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One connection to a server."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        """Send a request; underscores in header names stand for hyphens, no Content-Length is added."""
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in {"host": "test", **headers}.items()]
        self.send("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body)

    def reply(self, *, head: bool = False) -> Reply:
        """Read one response; after a HEAD request (`head`) it has no body, whatever its length says."""
        top, _, rest = self._until(b"\r\n\r\n").partition(b"\r\n")
        fields = [line.split(": ", 1) for line in rest.decode("latin-1").strip().split("\r\n")]
        headers = {name.lower(): value for name, value in fields}
        status = int(top.split()[1])
        length = 0 if head or status in (100, 204, 304) else int(headers["content-length"])
        while len(self._buffer) < length:
            self._buffer += self._received()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Reply(status, headers, body)

    def interim(self) -> int:
        """Read an interim response without headers; its status."""
        return int(self._until(b"\r\n\r\n").split()[1])

    def is_closed(self) -> bool:
        """Whether the server ends the connection now, with nothing more to say."""
        try:
            return self._buffer == b"" and self._socket.recv(1, socket.MSG_PEEK) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True

    def finish(self) -> None:
        """Send nothing more; what the server says can still be read."""
        self._socket.shutdown(socket.SHUT_WR)

    def timeout(self, seconds: float) -> None:
        """How long to wait for what may not come."""
        self._socket.settimeout(seconds)

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._buffer += self._received()
        found, _, self._buffer = self._buffer.partition(end)
        return found + end

    def _received(self) -> bytes:
        data = self._socket.recv(1 << 16)
        assert data, f"the connection ended after {self._buffer[:200]!r}"
        return data


@contextmanager
def wire(port: int) -> Iterator[Wire]:
    """A connection to a server on loopback, closed at the end of the block."""
    with socket.create_connection(("127.0.0.1", port), SECONDS_MAX) as connection:
        yield Wire(connection)


def exchange(port: int, data: bytes) -> list[Reply]:
    """Every reply to bytes that are sent as they are, and after which nothing more is sent."""
    with wire(port) as line:
        line.send(data)
        line.finish()
        replies = []
        while not line.is_closed():
            replies.append(line.reply())
        return replies
