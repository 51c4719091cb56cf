"""Stopping servers that are at work: real processes, told to stop in the middle of requests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import httpx
import pytest

from artifactstore.api.http.server import bind
from artifactstore.api.http.worker import FORCED, supervised
from artifactstore.cli.errors import Exit
from tests.http.servers import Server, in_processes, stop, wait_for
from tests.http.wire import wire
from tests.stores import fresh_config, sha256

SECONDS_MAX = 60
DATA = b"x" * (64 << 20)
WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


ask = partial(httpx.request, timeout=SECONDS_MAX)


@contextmanager
def answering(data: Path, *options: str, **settings: str) -> Iterator[Server]:
    """A server that has begun to answer: before that a signal ends it as it ends any program."""
    with in_processes(data, *options, **settings) as server:
        assert ask("GET", f"{server.url}/health/live").status_code == 200
        yield server


def process_of(server: Server) -> subprocess.Popen[str]:
    """The process that was started."""
    assert server.process is not None
    return server.process


def terminate(server: Server) -> None:
    """Tell a server to stop, and wait until it takes no more connections."""
    process_of(server).send_signal(signal.SIGTERM)
    wait_for(lambda: not connects(server))


def connects(server: Server) -> bool:
    """Whether anybody listens there still."""
    try:
        socket.create_connection(("127.0.0.1", server.port), 5).close()
    except ConnectionError:
        return False
    return True


def ended(server: Server) -> int:
    """The exit code, once nothing of the server is left: its workers hold its standard output too."""
    process = process_of(server)
    code = process.wait(SECONDS_MAX)
    assert process.stdout is not None
    process.stdout.read()
    return code


@WORKERS
def test_requests_under_way_are_finished(tmp_path: Path, workers: str) -> None:
    """An upload and a download that SIGTERM finds in their middle come to their end, and the process ends with 0."""
    with answering(tmp_path / "data", "--workers", workers) as server:
        uploads = f"{server.url}/v2/a/b/blobs/uploads/"
        ask("POST", uploads, params={"digest": str(sha256(DATA))}, content=DATA).raise_for_status()

        def slowly() -> Iterator[bytes]:
            yield b"first"
            terminate(server)
            yield b"second"

        with httpx.stream("GET", f"{server.url}/v2/a/b/blobs/{sha256(DATA)}", timeout=SECONDS_MAX) as download:
            parts = download.iter_bytes(1 << 20)
            received = len(next(parts))
            answer = ask("POST", uploads, params={"digest": str(sha256(b"firstsecond"))}, content=slowly())
            received += sum(map(len, parts))
        assert (answer.status_code, received) == (201, len(DATA))
        assert ended(server) == 0


@WORKERS
def test_idle_connections_do_not_hold_the_end(tmp_path: Path, workers: str) -> None:
    """Connections on which nothing is under way are closed at once: one that was used, and one that never was."""
    with answering(tmp_path / "data", "--workers", workers, drain_seconds="3600") as server:
        with wire(server.port) as used, wire(server.port) as unused:
            used.request("GET", "/v2/")
            assert used.reply().status == 200
            process_of(server).send_signal(signal.SIGTERM)
            assert used.is_closed()
            assert unused.is_closed()
        assert ended(server) == 0


@WORKERS
def test_an_upload_that_was_cut_goes_on_after_the_restart(tmp_path: Path, workers: str) -> None:
    """When the drain is over connections are cut and the process ends with 0; what came before is still there."""
    with answering(tmp_path / "data", "--workers", workers, drain_seconds="1") as server:
        at = ask("POST", f"{server.url}/v2/a/b/blobs/uploads/").headers["location"]
        assert ask("PATCH", f"{server.url}{at}", content=b"first").status_code == 202
        with wire(server.port) as connection:
            connection.request("PATCH", at, b"sec", content_length="6")
            process_of(server).send_signal(signal.SIGTERM)
            connection.timeout(SECONDS_MAX)
            assert connection.is_closed()
        assert ended(server) == 0
    with answering(tmp_path / "data", "--workers", workers) as server:
        reached = int(ask("GET", f"{server.url}{at}").headers["range"].removeprefix("0-")) + 1
        assert reached in (len("first"), len("firstsec"))
        rest = b"firstsecond"[reached:]
        closed = ask("PUT", f"{server.url}{at}", params={"digest": str(sha256(b"firstsecond"))}, content=rest)
        assert closed.status_code == 201
        assert ask("GET", f"{server.url}/v2/a/b/blobs/{sha256(b'firstsecond')}").content == b"firstsecond"
        assert stop(process_of(server)) == 0


@WORKERS
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_waits_for_nothing(tmp_path: Path, workers: str, second: signal.Signals) -> None:
    """Told twice to stop the server cuts what is under way, however long it might wait, and says so by its code."""
    with answering(tmp_path / "data", "--workers", workers, drain_seconds="3600") as server:
        with wire(server.port) as connection:
            connection.request("POST", f"/v2/a/b/blobs/uploads/?digest={sha256(b'x')}", b"1", content_length="100")
            terminate(server)
            process_of(server).send_signal(second)
            connection.timeout(SECONDS_MAX)
            assert connection.is_closed()
        assert ended(server) == FORCED == 143


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    """Another worker takes the place of one that was killed, and requests go on being answered."""
    with answering(tmp_path / "data", "--workers", "2") as server:
        wait_for(lambda: len(children(server)) == 2)
        ask("GET", f"{server.url}/v2/").raise_for_status()
        killed = children(server)[0]
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: len(children(server)) == 2 and killed not in children(server))
        for _ in range(20):
            ask("GET", f"{server.url}/v2/").raise_for_status()
        assert stop(process_of(server)) == 0


def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    """When the process that was started is killed its workers drain and end by themselves."""
    with answering(tmp_path / "data", "--workers", "2") as server:
        ask("GET", f"{server.url}/v2/").raise_for_status()
        process_of(server).kill()
        assert ended(server) == -signal.SIGKILL
        wait_for(lambda: not connects(server))


def test_a_worker_that_nobody_listened_to_ends(tmp_path: Path) -> None:
    """A worker ends when its supervisor goes away without having read what it said."""
    config = fresh_config(tmp_path / "data", port=0)
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    with bind(config) as listener:
        process = spawn.Process(target=supervised, args=(config, listener, theirs))
        process.start()
        theirs.close()
        ask("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/v2/").raise_for_status()
    assert ours.poll(SECONDS_MAX)
    ours.close()
    process.join(SECONDS_MAX)
    code = process.exitcode
    process.kill()
    assert code == 0


def children(server: Server) -> list[int]:
    """The worker processes: what the supervisor started, but for Python's own resource tracker."""
    pid = process_of(server).pid
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


@WORKERS
def test_a_store_that_cannot_be_opened_is_not_served(tmp_path: Path, workers: str) -> None:
    """When the storage root is no directory the start fails with 5: with several workers none is tried again."""
    (tmp_path / "root").write_text("no directory")
    settings = {"storage_local_root": str(tmp_path / "root")}
    with in_processes(tmp_path / "data", "--workers", workers, **settings) as server:
        assert ended(server) == Exit.UNAVAILABLE
