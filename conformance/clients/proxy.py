"""A way to the registry that watches the requests, and cuts a connection when it is told to."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

PIECE = 256 << 10
HEAD_SIZE_MAX = 64 << 10
_HEAD = re.compile(rb"(?P<method>[A-Z]{3,7}) (?P<target>/\S*) HTTP/1\.1\r\n(?P<fields>(?:[^\r\n]+\r\n)*)\r\n")

Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Head:
    """A request as it went by, without its body; header names are lower-case."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass
class Cut:
    """End the first connection that has carried so many bytes in one direction; only one is ended."""

    direction: Direction
    after: int
    _lock: threading.Lock = field(default_factory=threading.Lock)
    made: bool = False

    def room(self, direction: Direction, carried: int, size: int) -> int:
        """How many of these bytes may still pass; fewer than `size` once, then never again."""
        with self._lock:
            if self.made or direction != self.direction or carried + size <= self.after:
                return size
            self.made = True
            return max(0, self.after - carried)


class Proxy:
    """Carries bytes between clients and one registry, both on loopback."""

    def __init__(self, target: str, cut: Cut | None = None) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._cut = cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.heads: list[Head] = []

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def cut_made(self) -> bool:
        """Whether a connection was cut."""
        return self._cut is not None and self._cut.made

    def asked(self, method: str, part: str = "") -> list[Head]:
        """The requests with this method whose target has this part."""
        return [head for head in self.heads if head.method == method and part in head.target]

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._connect, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def close(self) -> None:
        """End everything that is open, and wait for its threads."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                _shut(connection)
        while self._threads:
            self._threads.pop().join()

    def _connect(self, client: socket.socket) -> None:
        """Carry one connection in both directions, and close both ends after that."""
        with client:
            try:
                server = socket.create_connection(self._target)
            except OSError:
                return
            with server:
                with self._lock:
                    self._open |= {client, server}
                back = threading.Thread(target=self._carry, args=(server, client, "down"), daemon=True)
                back.start()
                self._carry(client, server, "up")
                back.join()
                with self._lock:
                    self._open -= {client, server}

    def _carry(self, source: socket.socket, target: socket.socket, direction: Direction) -> None:
        """Carry bytes until one side has no more, or the cut comes; a cut ends both directions at once."""
        carried, seen = 0, b""
        with suppress(OSError):
            while piece := source.recv(PIECE):
                if direction == "up":
                    seen = self._watch(seen + piece)
                room = self._cut.room(direction, carried, len(piece)) if self._cut else len(piece)
                target.sendall(piece[:room])
                carried += room
                if room < len(piece):
                    _shut(source)
                    break
        _shut(target)

    def _watch(self, seen: bytes) -> bytes:
        """Record the request heads in these bytes; returns their end, which may be the beginning of another."""
        end = 0
        for found in _HEAD.finditer(seen) if b" HTTP/1.1\r\n" in seen else ():
            lines = found["fields"].decode("latin-1").splitlines()
            headers = {key.lower(): value for key, value in (line.split(": ", 1) for line in lines)}
            self.heads.append(Head(found["method"].decode(), found["target"].decode(), headers))
            end = found.end()
        return seen[end:][-HEAD_SIZE_MAX:]


@contextmanager
def proxied(target: str, cut: Cut | None = None) -> Iterator[Proxy]:
    """A proxy to `target` until the block ends."""
    proxy = Proxy(target, cut)
    accepting = threading.Thread(target=proxy.serve, daemon=True)
    accepting.start()
    try:
        yield proxy
    finally:
        proxy.close()
        accepting.join()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
