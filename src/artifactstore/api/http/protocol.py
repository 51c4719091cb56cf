"""uvicorn's HTTP/1.1 as this server needs it: bounded heads, answers in the order of their requests, no upgrades."""

from __future__ import annotations

import re
from asyncio import TimerHandle, Transport
from collections.abc import Sized
from functools import partial
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from artifactstore.api.http.asgi import App, Message, Receive, Scope, Send

HEAD_SECONDS = 30
"""How long a client may take to send a request line and headers, from the connection or its first byte on."""
READ_SECONDS = 120
"""How long a client may leave an answer unread before it is taken for lost."""

_SLICE_BYTES = 8 << 10
_END_OF_HEAD = b"\r\n\r\n"
_UPGRADE = re.compile(rb"\r\nupgrade[ \t]*:", re.IGNORECASE)
_HOSTS = {"1.1": (1,), "1.0": (0, 1)}
"""Version -> how many Host headers a request may have."""
_FRAMING = (b"content-length", b"transfer-encoding")


class HeadRefused(Exception):
    """What a parser callback raises to end the parsing."""


class Flow(FlowControl):
    """Reads no further while requests wait for their turn, or every answer would let in more of them than it ends."""

    def __init__(self, transport: Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class Protocol(HttpToolsProtocol):
    """One connection. `head_size_max` bounds request line and headers together, in bytes, and half of it the target.

    httptools itself bounds only the request target, and would collect an endless header. What is too large, too slow or
    no HTTP is answered in its turn, after every request before it, and the connection closes: what follows cannot be
    told from it. `_running` is the request that is being answered; those behind it wait in `pipeline`, and what came
    after those waits unread in `_held`.
    """

    def __init__(self, *arguments: Any, head_size_max: int, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_size_max = head_size_max
        self._in_head = True
        self._fed = 0
        self._late: TimerHandle | None = None
        self._unread: TimerHandle | None = None
        self._running: RequestResponseCycle | None = None
        self._held = b""
        self._status = HTTPStatus.BAD_REQUEST
        self._refusal: bytes | None = None
        self._ended = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self.flow = Flow(transport, self.pipeline)
        self._late = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_lateness()
        self._forget_unread()
        super().connection_lost(exc)
        super()._unset_keepalive_if_required()
        if self._running is not None:
            self._break_off(self._running)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's own: true keeps the connection
        """The client sends no more. What it asked for in full it is still told, then the connection ends."""
        self._ended = True
        return self._is_owing()

    def data_received(self, data: bytes) -> None:
        data = self._held + data
        while data and self._refusal is None and not self.transport.is_closing() and not self.pipeline:
            size = _SLICE_BYTES if self._in_head else len(data)
            self._feed(data[:size])
            data = data[size:]
        self._held = data if self._refusal is None else b""

    def on_message_begin(self) -> None:
        self._fed = self._fed or 1  # it may have come with the end of the request before it
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self._late is not None:
            self._forget_lateness()
        self._check_head()
        super().on_headers_complete()
        self._in_head = False

    def on_message_complete(self) -> None:
        self._in_head = True
        self._fed = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if (self._held or self._refusal or self._ended) and not self.transport.is_closing():
            self._go_on()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._forget_unread()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """An answer that nobody took in all that time would keep a closing connection open."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """What the parser cannot go on with: 400 or another status, in its turn, and the connection closes after it."""
        status = self._status
        text = (msg if status == HTTPStatus.BAD_REQUEST else status.phrase).encode()
        content = [STATUS_LINE[status]]
        for name, value in self.server_state.default_headers:
            content.extend([name, b": ", value, b"\r\n"])
        content.append(b"content-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(text))
        self._refusal = b"".join([*content, text])
        if not self._in_head:
            self._give_up_body()
        self._refuse_in_turn()

    def _go_on(self) -> None:
        """What waited for an answer to be out: more requests, a refusal, the end."""
        if self._held:
            self.data_received(b"")
        self._refuse_in_turn()
        if self._ended and not self._is_owing():
            self.transport.close()

    def _feed(self, data: bytes) -> None:
        if self._in_head:
            self._fed += len(data)
            data = without_upgrade(data)
        super().data_received(data)
        if self._in_head and self._fed:
            self._go_on_waiting()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, partial(_carry_out, cycle, app))

    def _unset_keepalive_if_required(self) -> None:
        """What is left of a body after its answer has no more time than an idle connection, however it trickles."""
        if self._in_head or self._is_answering():
            super()._unset_keepalive_if_required()

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade that was hidden from us by a cut through its name, or CONNECT: the connection ends."""
        self.cycle.keep_alive = False

    def _is_answering(self) -> bool:
        """Whether an answer is still to come, to which that of any later request must wait."""
        running = self._running
        return running is not None and not (running.response_complete or running.disconnected)

    def _is_owing(self) -> bool:
        """Whether something is still to be said to a client that sends no more: never to half a request."""
        return bool(self._held) or ((self._in_head or self._refusal is not None) and self._is_answering())

    def _refuse_in_turn(self) -> None:
        """Say the refusal and close, unless earlier requests are still to be answered; read nothing until then."""
        if self._refusal is None or self.transport.is_closing():
            return
        if self._is_answering():
            self.flow.pause_reading()
            return
        self.transport.write(self._refusal)
        self.transport.close()

    def _give_up_body(self) -> None:
        """The last request's body cannot be read: it is carried out no further, unless it was answered already."""
        cycle = self.cycle
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
        elif not cycle.response_started:
            self._break_off(cycle)
        elif cycle.response_complete:
            self.transport.close()
        else:
            cycle.keep_alive = False

    def _break_off(self, cycle: RequestResponseCycle) -> None:
        """Tell whoever carries it out that nobody waits for the answer."""
        cycle.disconnected = True
        cycle.message_event.set()

    def _go_on_waiting(self) -> None:
        """A head is here in part: it may neither grow nor take for ever."""
        if self.transport.is_closing():
            return
        if self._fed > self._head_size_max:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _check_head(self) -> None:
        """What httptools lets pass: a large head, and what RFC 9112 forbids in one (2.3, 3.2, 6.1).

        The RFC has 505 and 501 for two of these; here nothing that a client sends is called the server's fault.
        """
        version, hosts, size = self.parser.get_http_version(), 0, len(self.url)
        if size > self._head_size_max // 2:
            self._refuse_head(HTTPStatus.REQUEST_URI_TOO_LONG)
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding" and (version == "1.0" or value.strip().lower() != b"chunked"):
                raise HeadRefused
        if size > self._head_size_max:
            self._refuse_head(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if version not in _HOSTS or hosts not in _HOSTS[version]:
            raise HeadRefused
        if version == "1.0":
            self.expect_100_continue = False  # RFC 9110, 10.1.1
        if self.parser.should_upgrade() and any(name in _FRAMING for name, _ in self.headers):
            raise HeadRefused  # httptools would take it to have no body

    def _head_is_late(self) -> None:
        self._late = None
        if self._fed:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        self._status = status
        self.send_400_response(status.phrase)

    def _refuse_head(self, status: HTTPStatus) -> None:
        self._status = status
        raise HeadRefused

    def _forget_lateness(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


async def _carry_out(cycle: RequestResponseCycle, app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, unless nobody waits for it any more before it began.

    A client that expects 100 (Continue) and is refused without it may send the body or not, so nothing that follows
    can be told from it: the connection closes (RFC 9110, 10.1.1).
    """

    async def sending(message: Message) -> None:
        if cycle.waiting_for_100_continue:
            cycle.keep_alive = False
        await send(message)

    if not cycle.disconnected:
        await app(scope, receive, sending if cycle.waiting_for_100_continue else send)


def without_upgrade(data: bytes) -> bytes:
    """A request head whose Upgrade header, if any, has another name of the same length.

    No upgrade is offered, and RFC 9110 (7.8) lets a server ignore the wish, as Java's client expects when it asks for
    h2c with its first request. httptools cannot: it takes such a request to have no body.
    """
    if b"pgrade" not in data and b"PGRADE" not in data:
        return data
    head, end, rest = data.partition(_END_OF_HEAD)
    return _UPGRADE.sub(lambda found: b"\r\nignored" + found[0][9:], head) + end + rest
