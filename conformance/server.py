"""A server of our own for the length of a check: started on a free port, stopped by its pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from conformance.tools import ROOT

EXECUTABLE = ROOT / ".venv" / "bin" / "artifactstore"
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 15.0


class ServerFailed(Exception):
    """The server did not start; the message holds the end of what it printed."""


@dataclass(frozen=True)
class Server:
    """A server that answers: its host and port, and the process to stop."""

    host: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """The server's base address."""
        return f"http://{self.host}"


@contextmanager
def serving(
    *, workers: int, log: Path, settings: Mapping[str, str] | None = None, data: Path | None = None
) -> Iterator[Server]:
    """Serve `data`, or an empty temporary directory, on loopback until the block ends, however it ends."""
    with tempfile.TemporaryDirectory(prefix="artifactstore-check-") as folder:
        port = free_port()
        command = [str(EXECUTABLE), "serve", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--data", str(data or Path(folder, "data")), "--workers", str(workers)]
        environment = clean_environment() | dict(settings or {})
        with started(command, Path(folder), environment, f"127.0.0.1:{port}", log) as server:
            yield server


@contextmanager
def started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], host: str, log: Path
) -> Iterator[Server]:
    """Run a command that serves `host`, from the moment that it answers until the block ends, however it ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            server = Server(host, process, log)
            wait_until_live(server)
            yield server
        finally:
            stop(process)


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def clean_environment() -> dict[str, str]:
    """This process's environment without any setting of ours, so that a check starts from the defaults."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ARTIFACTSTORE_")}


def wait_until_live(server: Server) -> None:
    """Return when `GET /health/live` answers 200; raise ServerFailed when it never does."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/health/live", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    ended = server.process.poll()
    state = f"ended with {ended}" if ended is not None else f"did not answer in {READY_SECONDS_MAX:.0f} s"
    raise ServerFailed(f"the server {state}; it printed:\n{server.log.read_text(errors='replace')[-4000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server politely, and its whole session (its workers too) if it does not listen."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            print(f"the server did not stop in {STOP_SECONDS_MAX:.0f} s and is killed", flush=True)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def exit_on_terminate() -> None:
    """Make SIGTERM unwind the stack, so that servers are stopped on it too."""

    def leave(signum: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    signal.signal(signal.SIGTERM, leave)
