"""A connection whose requests are told in the access log, each once."""

from __future__ import annotations

from asyncio import Transport
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from artifactstore.api.http.access_log import CLIENT_CLOSED_REQUEST, REQUEST_ID, AccessLog, Exchange
from artifactstore.api.http.asgi import App, Message, Receive, Scope, Send
from artifactstore.api.http.protocol import Protocol

_EXCHANGE = "artifactstore.exchange"


class LoggedProtocol(Protocol):
    """Writes a line when an answer is complete, when the parser refuses, and when the connection ends before that.

    Whoever answers past ASGI calls `answered`.
    """

    def __init__(self, *arguments: Any, access_log: AccessLog, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._access_log = access_log
        self._client = "-"
        self._arriving: Exchange | None = None
        self._current: Exchange | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        if self.client is not None:
            host, port = self.client
            self._client = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        waiting = [_exchange_of(cycle) for cycle, _ in reversed(self.pipeline)]
        for exchange in (self._current, *waiting):
            if exchange is not None:
                status = exchange.status or CLIENT_CLOSED_REQUEST
                self._access_log.write(exchange, self._client, status, aborted=True)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._arriving = cast(Scope, self.scope)[_EXCHANGE] = Exchange()

    def on_headers_complete(self) -> None:
        assert self._arriving is not None
        self._arriving.read_head(self.parser.get_method(), self.url, self.headers)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._arriving is not None:
            self._arriving.received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._arriving = None

    def on_response_complete(self) -> None:
        exchange, self._current = self._current, None
        if exchange is not None:
            self.answered(exchange, exchange.status or HTTPStatus.INTERNAL_SERVER_ERROR)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """A request whose answer has begun before its body went wrong has that answer's line."""
        super().send_400_response(msg)
        exchange = self._arriving or Exchange()
        if not exchange.status:
            exchange.target = exchange.target or (self.url if self._arriving else b"")
            self.answered(exchange, self._status)

    def answered(self, exchange: Exchange, status: int) -> None:
        """A request was answered in full: with `exchange.sent` bytes, by whatever way."""
        exchange.unsent = 0
        self._access_log.write(exchange, self._client, status)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._current = exchange = _exchange_of(cycle)
        exchange.id = exchange.id or self._access_log.new_id()
        super()._start_asgi_task(cycle, partial(_observed, exchange, self.transport, app))


def _exchange_of(cycle: RequestResponseCycle) -> Exchange:
    exchange: Exchange = cast(Scope, cycle.scope)[_EXCHANGE]
    return exchange


async def _observed(
    exchange: Exchange, transport: Transport, app: App, scope: Scope, receive: Receive, send: Send
) -> None:
    """Have a request answered, with its id on the answer, and note what is sent of it."""
    has_body = scope["method"] != "HEAD"

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (REQUEST_ID, exchange.id)]
        elif has_body and not transport.is_closing():
            # What waits for its turn, or waits still when the client goes away, was not handed over.
            exchange.unsent = len(message.get("body", b""))
            exchange.sent += exchange.unsent
        await send(message)
        if message.get("more_body"):
            exchange.unsent = transport.get_write_buffer_size()

    await app(scope, receive, sending)
