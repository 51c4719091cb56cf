from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from artifactstore.dataplane.spi import one_chunk
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName
from tests.http.servers import in_thread
from tests.http.terminals import talk
from tests.stores import fresh_config, fresh_registry, sha256

COMMAND = [sys.executable, "-c", "from artifactstore.cli.main import main; main()"]
SECONDS_MAX = 30


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory whose log has a thousand events and one."""
    append(tmp_path, 1000)
    return tmp_path


def append(directory: Path, count: int, repository: str = "a/x") -> None:
    """Push so many blobs, through a process's own registry."""

    async def push() -> None:
        registry = fresh_registry(directory, unsafe_no_sync=True)
        for number in range(count):
            content = f"{repository} {number}".encode()
            name = RepositoryName(repository)
            await registry.push_blob(ANONYMOUS, name, one_chunk(content), sha256(content))
        await registry.close()

    asyncio.run(push())


@contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A running command, killed if it outlives the test."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=SECONDS_MAX)


def test_follow_shows_what_other_processes_append(data: Path) -> None:
    """`events --follow` prints events as another process appends them, and ends with 130 and no traceback on Ctrl-C."""
    with started("events", "--follow", "--after", "1001", "--json", "--data", data) as process:
        append(data, 1, "b/y")
        assert process.stdout is not None
        event = json.loads(process.stdout.readline())
        assert (event["sequence"], event["stream"]) == (1002, "b/y")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, said) == (130, "")


def test_follow_goes_on_through_a_server(data: Path) -> None:
    """`events --follow --server` prints what comes after it began, and ends with 130 on Ctrl-C."""
    with (
        in_thread(fresh_config(data, port=0, unsafe_no_sync=True)) as server,
        started("events", "--follow", "--after", "1001", "--json", "--server", server.url) as process,
    ):
        append(data, 1, "b/y")
        assert process.stdout is not None
        event = json.loads(process.stdout.readline())
        assert (event["sequence"], event["stream"]) == (1002, "b/y")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, said) == (130, "")


@pytest.mark.parametrize(
    ("typed", "ends", "left"),
    [
        (b"y\n", 0, "no such repository"),
        (b"n\n", 0, "1000 blobs"),
        (b"\x04", 0, "1000 blobs"),
        (b"\x03", 130, "1000 blobs"),
    ],
    ids=["yes", "no", "end", "interrupt"],
)
def test_deletion_asks_on_a_terminal(data: Path, typed: bytes, ends: int, left: str) -> None:
    """On a terminal what would go is shown before the question; only a yes deletes, and Ctrl-C ends with 130."""
    append(data, 1, "b/y")
    command = [*COMMAND, "repo", "rm", "a/x", "b/y", "--data", str(data)]
    code, shown = talk(command, lambda so_far: typed if so_far.rstrip().endswith(b"[y/N]") else b"")
    assert code == ends
    assert shown.index("1000 blobs") < shown.index("Delete this? [y/N]")
    after = subprocess.run(
        [*COMMAND, "repo", "rm", "a/x", "--dry-run", "--data", str(data)], capture_output=True, text=True, check=False
    )
    assert left in after.stdout + after.stderr


def test_reader_that_stops_reading_ends_the_command(data: Path) -> None:
    """When whoever reads goes away the command ends with 141, as shells expect, and says nothing."""
    with started("events", "--json", "--data", data) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(SECONDS_MAX) == 141
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_cbor_is_not_for_a_terminal() -> None:
    """`manifest --cbor` refuses to write to a terminal, before it looks at any store."""
    theirs, ours = pty.openpty()
    try:
        done = subprocess.run(
            [*COMMAND, "manifest", "a:v1", "--cbor"],
            stdout=ours,
            stderr=subprocess.PIPE,
            timeout=SECONDS_MAX,
            check=False,
        )
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.returncode == 2
    assert b"not for a terminal" in done.stderr


def test_help_names_every_command() -> None:
    """`artifactstore` alone shows what there is to type."""
    done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    shown = done.stdout + done.stderr
    for command in ("serve", "migrate", "health", "version", "ls", "show", "manifest", "events", "replay", "sweep"):
        assert command in shown
