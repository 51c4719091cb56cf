"""One request as its handler sees it, made from any ASGI scope."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from artifactstore.api.http.asgi import Message, Receive, Scope
from artifactstore.errors import ParameterInvalid, SizeExceeded
from artifactstore.identity.actor import ANONYMOUS, Principal

BODY_IDLE_SECONDS = 120
"""A client that sends nothing of its body for so long is taken for lost."""

QUERY_BYTES_MAX = 32 << 10
QUERY_FIELDS_MAX = 1000


class ClientDisconnected(Exception):
    """The client went away before its request had come in full; there is nobody to answer."""


class ClientStalled(ClientDisconnected):
    """The client is there, but sends nothing more."""


class Call:
    """Method, path, query, headers and body of a request, and who asks.

    `path` is percent-decoded. The body is read once: by `read_limited`, or by iterating `body_stream()`.
    """

    __slots__ = ("_query", "method", "path", "principal", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive, principal: Principal = ANONYMOUS) -> None:
        self.scope = scope
        self.receive = receive
        self.principal = principal
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._query: list[tuple[str, str]] | None = None

    @property
    def raw_path(self) -> bytes:
        """The path as it was sent."""
        raw: bytes | None = self.scope.get("raw_path")
        return self.path.encode() if raw is None else raw

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs in order, blank values kept. Raises ParameterInvalid."""
        if self._query is None:
            self._query = parse_query(self.scope["query_string"])
        return self._query

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter. Raises ParameterInvalid."""
        if not self.scope["query_string"]:
            return None
        return next((value for key, value in self.query if key == name), None)

    def parameters(self, name: str) -> list[str]:
        """Every value of a query parameter, in order. Raises ParameterInvalid."""
        return [value for key, value in self.query if key == name]

    @property
    def headers(self) -> dict[bytes, list[bytes]]:
        """Lower-case header name -> the values of all its lines."""
        found: dict[bytes, list[bytes]] = {}
        for name, value in self.scope["headers"]:
            found.setdefault(name, []).append(value)
        return found

    def header(self, name: bytes) -> str | None:
        """A header by its lower-case name; several lines of it are joined by commas (RFC 9110, 5.3)."""
        values = [value for key, value in self.scope["headers"] if key == name]
        return b", ".join(values).decode("latin-1") if values else None

    @property
    def length(self) -> int | None:
        """The body's announced length in bytes; None when it comes in chunks. Raises ParameterInvalid."""
        text = self.header(b"content-length")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()):
            raise ParameterInvalid("Content-Length is not a number", detail={"content-length": text[:100]})
        return int(text)

    async def body_stream(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ClientDisconnected when it breaks off, ClientStalled when it stops."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            chunk = message.get("body", b"")
            more = message.get("more_body", False)
            if chunk:
                yield chunk

    async def read_limited(self, limit: int) -> bytes:
        """The whole body, if it has at most `limit` bytes; no announced length is needed.

        Raises SizeExceeded as soon as the limit is passed, ClientDisconnected.
        """
        if (self.length or 0) > limit:
            raise _too_large(limit)
        chunks, size = [], 0
        async for chunk in self.body_stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
        return b"".join(chunks)

    async def _receive(self) -> Message:
        try:
            async with asyncio.timeout(BODY_IDLE_SECONDS):
                return await self.receive()
        except TimeoutError:
            raise ClientStalled from None


def parse_query(raw: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string, blank values kept. Raises ParameterInvalid for too much of it, or no UTF-8."""
    if not raw:
        return []
    if len(raw) > QUERY_BYTES_MAX:
        raise ParameterInvalid(f"the query has more than {QUERY_BYTES_MAX} bytes")
    try:
        return parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=QUERY_FIELDS_MAX)
    except ValueError as error:
        raise ParameterInvalid(f"the query cannot be read: {error}") from None


def _too_large(limit: int) -> SizeExceeded:
    return SizeExceeded(f"the body has more than {limit} bytes", detail={"size_max": limit})
