"""One HTTP connection whose client costs next to nothing: a request is bytes, an answer is read to its length."""

from __future__ import annotations

import json
import re
import socket
import time
from dataclasses import dataclass
from typing import Any

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
SECONDS_MAX = 120.0


class WrongAnswer(Exception):
    """A server answered, and not what it should have."""


@dataclass(frozen=True)
class Reply:
    """An answer, and the seconds from the first byte sent to the last one received."""

    status: int
    head: str
    body: bytes
    seconds: float

    def header(self, name: str) -> str | None:
        """The value of a header."""
        found = re.search(rf"(?im)^{re.escape(name)}: *(.*?)\r?$", self.head)
        return found[1] if found else None

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Line:
    """A connection that is kept open."""

    def __init__(self, host: str, port: int) -> None:
        self._host = f"{host}:{port}"
        self._socket = socket.create_connection((host, port), SECONDS_MAX)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, path: str, status: int, body: bytes = b"", media_type: str = "") -> Reply:
        """Send a request and read its answer. Raises WrongAnswer unless it has this status."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        if method not in ("GET", "HEAD"):
            lines.append(f"Content-Length: {len(body)}")
        if media_type:
            lines.append(f"Content-Type: {media_type}")
        request = "\r\n".join([*lines, "", ""]).encode() + body
        began = time.perf_counter()
        self._socket.sendall(request)
        head, content = self._read(method)
        seconds = time.perf_counter() - began
        reply = Reply(int(head.split(None, 2)[1]), head.decode("latin-1"), content, seconds)
        if reply.status != status:
            raise WrongAnswer(f"{method} {path} was answered {reply.status}: {content[:300]!r}")
        return reply

    def close(self) -> None:
        """Let the connection go."""
        self._socket.close()

    def _read(self, method: str) -> tuple[bytes, bytes]:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        head, parts = data[:end], [data[end + 4 :]]
        found = _LENGTH.search(head)
        left = (0 if method == "HEAD" or found is None else int(found[1])) - len(parts[0])
        while left > 0:
            parts.append(self._receive())
            left -= len(parts[-1])
        return head, b"".join(parts)

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 18)
        if not data:
            raise WrongAnswer("the server ended the connection")
        return data
