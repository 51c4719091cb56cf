"""`serve`: the store over HTTP until it is told to stop, with one process or several."""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from artifactstore import bootstrap
from artifactstore.api.http.app import build_app
from artifactstore.api.http.protocol import Protocol
from artifactstore.config import Config, require_private
from artifactstore.errors import ConfigInvalid
from artifactstore.events import migrate

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""Longer than a proxy in front keeps its connections (60 s by default), so that the server never drops one first."""


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then let requests under way finish, and return.

    Brings the database to this program's schema first, and says so. Raises ConfigInvalid for an address that cannot be
    listened on, or one beyond loopback without authentication; SchemaUnsupported, BackendUnavailable.
    """
    require_private(config)
    _migrate(config)
    with bind(config) as listener:
        _say(*_announcement(config, listener))
        _run(config, listener)


def bind(config: Config) -> socket.socket:
    """A listening socket: port 0 has its number, and who connects from now on is answered. Raises ConfigInvalid."""
    host = config.host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, config.port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as undo:
            listener = undo.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
            undo.pop_all()
    except OSError as error:
        raise ConfigInvalid(f"cannot listen on {config.host} port {config.port}: {error.strerror}") from None
    return listener


def uvicorn_config(config: Config) -> uvicorn.Config:
    """How uvicorn runs this server. Picklable, so that worker processes get it as it is."""
    return uvicorn.Config(
        partial(build_app, config),
        factory=True,
        workers=config.workers,
        loop="uvloop",
        http=partial(Protocol, head_size_max=config.head_size_max),  # type: ignore[arg-type]  # any factory does
        ws="none",
        lifespan="on",
        log_config=_log_config(config),
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=[("server", "artifactstore")],
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=config.drain_seconds,
    )


def _run(config: Config, listener: socket.socket) -> None:
    """uvicorn raises the signal that stopped it once more when it is done; nothing is left to be done then."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    settings = uvicorn_config(config)
    if config.workers > 1:
        Multiprocess(settings, [listener]).run()
    else:
        uvicorn.Server(settings).run([listener])


def _migrate(config: Config) -> None:
    database = bootstrap.open_database(config)
    before, after = migrate.upgrade(database)
    if before != after:
        _say(f"{database.path}: schema {before or 'none'} -> {after}")


def _announcement(config: Config, listener: socket.socket) -> tuple[str, ...]:
    """Where the server listens, where its data lies, and a first command to paste."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (
        f"artifactstore listens on http://{shown}",
        f"  database  {Path(config.sqlite_path).absolute()}",
        f"  bytes     {Path(config.local_root).absolute()}",
        "  try       echo hello > hello.txt",
        f"            oras push --plain-http {shown}/demo/hello:v1 hello.txt:text/plain",
    )


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


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
