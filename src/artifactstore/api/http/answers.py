"""What is sent back: finished headers and a body, sent as they are.

No charset is put behind a media type and nothing is compressed: clients compare both byte for byte.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from artifactstore.api.http.asgi import Headers, Receive, Scope, Send
from artifactstore.dataplane.spi import Served

JSON = b"application/json"
NOSNIFF = (b"x-content-type-options", b"nosniff")
"""Sent with everything: what is stored here is never to be guessed at by a browser."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and the ASGI application that sends it.

    `headers` are sent as they are, so a body needs its Content-Length among them; the helpers below see to that. To a
    HEAD no body is ever sent. A `Served` body is streamed, and closed when it ends or the client goes away.
    """

    status: int
    headers: Headers = ()
    body: bytes | Served = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": [*self.headers, NOSNIFF]})
        body = self.body
        if isinstance(body, bytes):
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        elif scope["method"] == "HEAD":
            await close(body)
            await send({"type": "http.response.body", "body": b""})
        else:
            await _stream(body, receive, send)

    def adding(self, *headers: tuple[bytes, bytes]) -> Answer:
        """The same answer with more headers."""
        return Answer(self.status, self.headers + headers, self.body)


def content(
    body: bytes | Served, media_type: bytes, *, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()
) -> Answer:
    """A body of a media type, with its length."""
    length = len(body) if isinstance(body, bytes) else body.length
    return Answer(status, (*headers, (b"content-type", media_type), (b"content-length", b"%d" % length)), body)


def json_answer(
    value: Any, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = (), *, media_type: bytes = JSON
) -> Answer:
    """A JSON value."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return content(body, media_type, status=status, headers=headers)


def empty(status: int, headers: Iterable[tuple[bytes, bytes]] = ()) -> Answer:
    """No body; its length of 0 is said where the status allows one (RFC 9110, 8.6)."""
    said = () if status in (204, 304) else ((b"content-length", b"0"),)
    return Answer(status, (*headers, *said))


async def _stream(served: Served, receive: Receive, send: Send) -> None:
    """Send the chunks, the last one marked as such; stop when the client is gone.

    The headers are out, so a read that fails can only break the connection, which the missing bytes tell the client.
    """
    left, gone = served.length, None
    try:
        async for chunk in served.chunks:
            left -= len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
            if left <= 0:
                return
            gone = gone or asyncio.ensure_future(_disconnected(receive))
            await asyncio.sleep(0)  # bytes in memory to a client that is gone are sent without ever waiting
            if gone.done():
                return
        if not served.length:
            await send({"type": "http.response.body", "body": b""})
    except Exception:
        log.exception("a response broke off with %d bytes to go", left)
    finally:
        if gone is not None:
            gone.cancel()
        await close(served)


async def _disconnected(receive: Receive) -> None:
    """Return when the client is gone; a request body that nobody read is let pass."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def close(served: Served) -> None:
    """Let go of what is served, wherever it stands."""
    closing = getattr(served.chunks, "aclose", None)
    if closing is not None:
        await closing()
