"""uvicorn's HTTP/1.1 as this server needs it: limits on what comes before a body, and no upgrades."""

from __future__ import annotations

import re
from asyncio import TimerHandle, Transport
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_SECONDS = 30
"""How long a client may take to send a request line and headers, from the connection or its first byte on."""

_END_OF_HEAD = b"\r\n\r\n"
_UPGRADE = re.compile(rb"\r\nupgrade[ \t]*:", re.IGNORECASE)


class HeadRefused(Exception):
    """What a parser callback raises to end the parsing."""


class Protocol(HttpToolsProtocol):
    """One connection. `head_size_max` bounds request line and headers together, in bytes, and half of it the target.

    httptools itself bounds only the request target, and would collect an endless header. A connection whose head is
    too large or too slow is answered and closed: what follows on it cannot be told from the head.
    """

    def __init__(self, *arguments: Any, head_size_max: int, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_size_max = head_size_max
        self._in_head = True
        self._fed = 0
        self._late: TimerHandle | None = None
        self._refusal = HTTPStatus.BAD_REQUEST

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_lateness()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._fed += len(data)
            data = without_upgrade(data)
        super().data_received(data)
        if self._in_head and self._fed:
            self._go_on_waiting()

    def on_headers_complete(self) -> None:
        self._forget_lateness()
        self._in_head = False
        if self._fed > self._head_size_max // 2:
            self._check_size()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._fed = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Every refusal that the parser led to, 400 or another; the connection closes after it."""
        status = self._refusal
        text = (msg if status == HTTPStatus.BAD_REQUEST else status.phrase).encode()
        content = [STATUS_LINE[status]]
        for name, value in self.server_state.default_headers:
            content.extend([name, b": ", value, b"\r\n"])
        content.append(b"content-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(text))
        self.transport.write(b"".join([*content, text]))
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade that was hidden from us by a cut through its name: its body is lost, so the connection ends."""
        self.cycle.keep_alive = False

    def _go_on_waiting(self) -> None:
        """A head is here in part: it may neither grow nor take for ever."""
        if self.transport.is_closing():
            return
        if self._fed > self._head_size_max:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _check_size(self) -> None:
        """So much came that the head may be too large; perhaps it was body, so look at the head alone."""
        if len(self.url) > self._head_size_max // 2:
            self._refusal = HTTPStatus.REQUEST_URI_TOO_LONG
            raise HeadRefused
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self._head_size_max:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise HeadRefused

    def _head_is_late(self) -> None:
        self._late = None
        if self._fed:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        self._refusal = status
        self.send_400_response(status.phrase)

    def _forget_lateness(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def without_upgrade(data: bytes) -> bytes:
    """A request head whose Upgrade header, if any, has another name of the same length.

    No upgrade is offered, and RFC 9110 (7.8) lets a server ignore the wish, as Java's client expects when it asks for
    h2c with its first request. httptools cannot: it takes such a request to have no body.
    """
    if b"pgrade" not in data and b"PGRADE" not in data:
        return data
    head, end, rest = data.partition(_END_OF_HEAD)
    return _UPGRADE.sub(lambda found: b"\r\nignored" + found[0][9:], head) + end + rest
