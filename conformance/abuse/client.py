"""Connections of the abuse: bytes out as they are, answers in, each taken apart with as little work as may be."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass

SECONDS_MAX = 60.0
"""An answer that takes longer is taken for one that never comes."""
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)")
_TYPE = re.compile(rb"\r\ncontent-type: ([^\r]*)")
_LOCATION = re.compile(rb"\r\nlocation: ([^\r]*)")


class Malformed(Exception):
    """An answer that is no HTTP, or whose body is not what its type says."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    head: bytes
    body: bytes

    @property
    def location(self) -> str:
        """Where it points to."""
        found = _LOCATION.search(self.head)
        return found[1].decode() if found else ""

    def code(self, *, is_head: bool) -> str:
        """The code of a refusal, "" for one in plain text or without a body. Raises Malformed for any other shape."""
        kind = _TYPE.search(self.head)
        media_type = kind[1] if kind else b""
        if media_type == b"text/plain" or is_head:
            return ""
        try:
            value = json.loads(self.body)
            if media_type == b"application/json":
                (error,) = value["errors"]
                assert set(error) == {"code", "message", "detail"}
                return str(error["code"])
            assert media_type == b"application/problem+json"
            assert value["status"] == self.status
            return str(value["code"])
        except (ValueError, KeyError, TypeError, AssertionError):
            raise Malformed(f"the body of a refusal is {media_type!r} {self.body[:300]!r}") from None


class Connection(asyncio.Protocol):
    """One connection, which is opened when it is first needed, and again after each end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None
        self.ended = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of a stream it is one
        self._transport, self._buffer, self.ended = transport, b"", False

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._wake()

    async def send(self, data: bytes, *, leave: bool = False) -> None:
        """Send bytes; with `leave`, say that no more will come."""
        if self.ended:
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
        assert self._transport is not None
        self._transport.write(data)
        if leave:
            self._transport.write_eof()

    def close(self) -> None:
        """End the connection without another word."""
        self.ended = True
        if self._transport is not None:
            self._transport.abort()

    async def reply(self, *, is_head: bool = False) -> Reply | None:
        """The next answer that is no interim one; None when the connection ended instead of it."""
        end = await self._find(b"\r\n\r\n")
        while end >= 0 and self._buffer.startswith(b"HTTP/1.1 1"):
            self._buffer = self._buffer[end + 4 :]
            end = await self._find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._buffer[: end + 2]
        status, found = head[9:12], _LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 ") or not status.isdigit():
            raise Malformed(f"an answer begins with {head[:300]!r}")
        length = int(found[1]) if found and not is_head and status not in (b"204", b"304") else 0
        while len(self._buffer) < end + 4 + length:
            if self.ended:
                raise Malformed(f"an answer broke off after {len(self._buffer)} bytes: {head[:300]!r}")
            await self._more()
        body = self._buffer[end + 4 : end + 4 + length]
        self._buffer = self._buffer[end + 4 + length :]
        return Reply(int(status), head, body)

    async def end(self) -> None:
        """Wait until the server closes the connection. Raises Malformed when it says something first."""
        while not self.ended and not self._buffer:
            await self._more()
        if self._buffer:
            raise Malformed(f"after the last answer came {self._buffer[:300]!r}")

    async def _find(self, what: bytes) -> int:
        while (found := self._buffer.find(what)) < 0:
            if self.ended:
                if self._buffer:
                    raise Malformed(f"an answer broke off: {self._buffer[:300]!r}")
                return -1
            await self._more()
        return found

    async def _more(self) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await self._waiting
        except TimeoutError:
            raise Malformed(f"no answer in {SECONDS_MAX:.0f} s") from None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
