"""One process that serves: uvicorn's server with our protocol, our log, and a drain that ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import uvicorn

from artifactstore.api.http.access_log import AccessLog
from artifactstore.api.http.app import build_app
from artifactstore.api.http.logged import LoggedProtocol
from artifactstore.api.http.notifier import READY, STOPPING, Notifier
from artifactstore.api.http.protocol import Protocol
from artifactstore.config import Config
from artifactstore.errors import ArtifactStoreError, BackendUnavailable

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""Longer than a proxy in front keeps its connections (60 s by default), so that the server never drops one first."""

CUT_SECONDS = 5.0
"""How long a request whose connection was cut may take to notice and to let go of what it holds."""

CLOSE_SECONDS = 10.0
"""How long the store may take to close; then the process ends without: a crash loses nothing either."""

FORCED = 128 + signal.SIGTERM
"""The exit code of a server that cut requests because it was told twice to stop; 0 says that none was cut so."""

DRAIN, REOPEN = b"drain", b"reopen"
"""What a supervisor orders its workers."""
GONE = b"gone"
"""What it means when nobody is there to order anything."""

Say = Callable[[], None]
log = logging.getLogger(__name__)


def nothing() -> None:
    """Say nothing."""


class Server(uvicorn.Server):
    """Serves until it is told to drain, and then

    1. takes no more connections, and closes those on which nothing is under way;
    2. waits for the requests under way, up to `drain_seconds`, or until it is told to end;
    3. cuts the connections that are left, and gives those requests a moment to let go;
    4. closes the store.
    """

    def __init__(self, config: Config, *, on_ready: Say = nothing, on_drain: Say = nothing) -> None:
        self._access_log = None if config.access_log == "off" else AccessLog(config.access_log)
        self._drain_seconds = config.drain_seconds
        self._on_ready = on_ready
        self._on_drain = on_drain
        self.was_forced = False
        super().__init__(uvicorn_config(config, self._access_log))

    def drain(self) -> None:
        """Begin to stop. A second time: wait for nothing any more."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    def reopen_log(self) -> None:
        """Let go of the access log's file, which may have been moved away, and begin a new one."""
        if self._access_log is not None:
            self._access_log.reopen()

    def close_log(self) -> None:
        """Write what the access log still has."""
        if self._access_log is not None:
            self._access_log.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        bound = threading.Timer(self._drain_seconds + CUT_SECONDS + CLOSE_SECONDS, _give_up)
        bound.daemon = True
        bound.start()
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        self._on_drain()
        await self._finish_requests()
        await self._cut_requests()
        await self.lifespan.shutdown()
        bound.cancel()

    async def _finish_requests(self) -> None:
        deadline = time.monotonic() + self._drain_seconds
        state = self.server_state
        while not self.force_exit and time.monotonic() < deadline:
            for connection in list(state.connections):
                connection.shutdown()
            if not state.connections and not state.tasks:
                return
            await asyncio.sleep(0.05)

    async def _cut_requests(self) -> None:
        connections, tasks = list(self.server_state.connections), list(self.server_state.tasks)
        if not connections and not tasks:
            return
        self.was_forced = self.force_exit
        log.warning("%d connections are cut, %d requests were under way", len(connections), len(tasks))
        for connection in connections:
            connection.transport.abort()
        if tasks:
            _, slow = await asyncio.wait(tasks, timeout=CUT_SECONDS / 2)
            for task in slow:
                task.cancel()
            await asyncio.wait(tasks, timeout=CUT_SECONDS / 2)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for whoever runs this server."""
        yield


def uvicorn_config(config: Config, access_log: AccessLog | None = None) -> uvicorn.Config:
    """How uvicorn runs this server."""
    logged = Protocol if access_log is None else partial(LoggedProtocol, access_log=access_log)
    return uvicorn.Config(
        partial(build_app, config),
        factory=True,
        loop="uvloop",
        http=partial(logged, head_size_max=config.head_size_max),  # type: ignore[arg-type]  # any factory does
        ws="none",
        lifespan="on",
        log_config=_log_config(config),
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=[("server", "artifactstore")],
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def alone(config: Config, listener: socket.socket, notifier: Notifier) -> None:
    """Serve in this process: SIGTERM and SIGINT drain, or end a drain; SIGHUP reopens the access log.

    Raises what `run` raises.
    """

    def ready() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, server.reopen_log)
        notifier.say(READY)

    server = Server(config, on_ready=ready, on_drain=partial(notifier.say, STOPPING))
    signal.signal(signal.SIGTERM, lambda *_: server.drain())
    signal.signal(signal.SIGINT, lambda *_: server.drain())
    run(server, listener)


def supervised(config: Config, listener: socket.socket, orders: Connection) -> None:
    """Serve in this process as `orders` tell, and drain when nobody gives any more; signals are the supervisor's."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    def ready() -> None:
        loop = asyncio.get_running_loop()
        threading.Thread(target=listen, args=(loop,), name="orders", daemon=True).start()
        with suppress(OSError):
            orders.send_bytes(READY.encode())

    def listen(loop: asyncio.AbstractEventLoop) -> None:
        """In a thread: an event loop that watches a connection may miss that its other end was reset."""
        order = b""
        while order != GONE:
            try:
                order = orders.recv_bytes()
            except (EOFError, OSError):
                order = GONE
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(obey, order)

    def obey(order: bytes) -> None:
        if order == REOPEN:
            server.reopen_log()
        elif order == DRAIN or not server.should_exit:
            server.drain()

    try:
        server = Server(config, on_ready=ready)
        run(server, listener)
    except ArtifactStoreError as error:
        log.error("%s", error.message)
        raise SystemExit(1) from None


def run(server: Server, listener: socket.socket) -> None:
    """Run a server to its end.

    Raises BackendUnavailable when it cannot start; SystemExit(FORCED) when it was told not to wait for requests.
    """
    try:
        server.run([listener])
    except SystemExit:
        raise BackendUnavailable("the server cannot start; its log says why") from None
    finally:
        server.close_log()
    if server.was_forced:
        raise SystemExit(FORCED)


def _give_up() -> None:
    log.error("the server could not stop in time; it ends here, as after a crash")
    os._exit(1)


def _log_config(config: Config) -> dict[str, Any]:
    level = config.log_level.upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
        "loggers": {
            "artifactstore": {"handlers": ["stderr"], "level": level, "propagate": False},
            "uvicorn": {"handlers": ["stderr"], "level": level, "propagate": False},
            "uvicorn.error": {"level": level},
        },
    }
