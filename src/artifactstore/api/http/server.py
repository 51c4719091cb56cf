"""`serve`: the store over HTTP until it is told to stop, with one process or several."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from artifactstore import bootstrap
from artifactstore.api.http import line_writer
from artifactstore.api.http.notifier import Notifier
from artifactstore.api.http.supervisor import Supervisor
from artifactstore.api.http.worker import BACKLOG, alone
from artifactstore.config import Config, notify_socket, require_private
from artifactstore.errors import ConfigInvalid
from artifactstore.events import migrate


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then drain (see `worker.Server`), and return.

    Brings the database to this program's schema first, and says so. Raises ConfigInvalid for an address that cannot be
    listened on, one beyond loopback without authentication, or an access log that cannot be written;
    SchemaUnsupported, BackendUnavailable.
    """
    require_private(config)
    if config.access_log != "off":
        line_writer.check(config.access_log)
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


def _run(config: Config, listener: socket.socket) -> None:
    notifier = Notifier(notify_socket())
    if config.workers > 1:
        Supervisor(config, listener, notifier).run()
    else:
        alone(config, listener, notifier)


def _migrate(config: Config) -> None:
    database = bootstrap.open_database(config)
    if config.read_only:
        migrate.require_current(database)
        return
    before, after = migrate.upgrade(database)
    if before != after:
        _say(f"{database.path}: schema {before or 'none'} -> {after}")


def _announcement(config: Config, listener: socket.socket) -> tuple[str, ...]:
    """Where the server listens, where its data lies, and a first command to paste, unless it would be refused."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    advice = (
        "  try       echo hello > hello.txt",
        f"            oras push --plain-http {shown}/demo/hello:v1 hello.txt:text/plain",
    )
    return (
        f"artifactstore listens on http://{shown}",
        f"  database  {Path(config.sqlite_path).absolute()}",
        f"  bytes     {Path(config.local_root).absolute()}",
        *(() if config.read_only else advice),
    )


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
