"""Servers for tests: in a thread of this process, or as processes of their own."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from artifactstore.api.http import worker
from artifactstore.api.http.server import bind
from artifactstore.config import Config

SECONDS_MAX = 30.0
COMMAND = (sys.executable, "-c", "from artifactstore.cli.main import main; main()", "serve")


@dataclass(frozen=True)
class Server:
    """A server that listens on loopback; `process` is None for one in a thread."""

    port: int
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def in_thread(config: Config) -> Iterator[Server]:
    """The server of a migrated store, until the block ends; it logs, but not into what the tests print."""
    if config.access_log == "stdout":
        config = replace(config, access_log=os.devnull)
    with bind(config) as listener:
        server = worker.Server(config)
        thread = threading.Thread(target=worker.run, args=(server, listener))
        thread.start()
        try:
            wait_for(lambda: server.started or not thread.is_alive())
            assert server.started
            yield Server(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(SECONDS_MAX)
            assert not thread.is_alive()


@contextmanager
def in_processes(data: Path, *options: str, **settings: str) -> Iterator[Server]:
    """`artifactstore serve` on a free port, in a session of its own so that all of it can be stopped."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARTIFACTSTORE_")}
    environment |= {f"ARTIFACTSTORE_{name.upper()}": value for name, value in settings.items()}
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--data", str(data), *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield Server(announced_port(process), process)
    finally:
        stop(process)


def announced_port(process: subprocess.Popen[str]) -> int:
    """The port that a starting server prints; read past Python's buffer, of which `select` knows nothing."""
    assert process.stdout is not None
    said = b""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.1)[0]:
            more = os.read(process.stdout.fileno(), 1 << 16)
            assert more, "the server ended before it listened"
            said += more
            found = re.search(rb"listens on http://127\.0\.0\.1:(\d+)\n", said)
            if found:
                return int(found[1])
    raise AssertionError("the server did not say where it listens")


def stop(process: subprocess.Popen[str]) -> int:
    """End a server politely, and by force whatever is left of it; returns its exit code."""
    process.terminate()
    try:
        return process.wait(SECONDS_MAX)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_for(condition: Callable[[], bool], seconds: float = SECONDS_MAX) -> None:
    """Return when `condition()` is true; fail when it does not become so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
