"""Lines to pipes and files that do not always take them."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable
from pathlib import Path

import pytest

from artifactstore.api.http import line_writer
from artifactstore.api.http.line_writer import LineWriter
from artifactstore.errors import ConfigInvalid

LINE = "x" * 99 + "\n"


def tell(lines: int) -> str:
    """The line about lost ones."""
    return f"{lines} lost\n"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


async def wait_for(condition: Callable[[], bool]) -> None:
    """Let the loop run until `condition()` is true."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


def read_all(handle: int) -> bytes:
    """What a pipe has, until nothing more comes for a while."""
    found = b""
    while select.select([handle], [], [], 0.5)[0] and (more := os.read(handle, 1 << 16)):
        found += more
    return found


async def test_lines_come_in_order_and_at_the_end(tmp_path: Path) -> None:
    """What was written before the close is in the file after it, in order."""
    writer = LineWriter(str(tmp_path / "log"), tell)
    for number in range(10_000):
        writer.write(f"{number}\n")
    writer.close()
    assert (tmp_path / "log").read_text() == "".join(f"{number}\n" for number in range(10_000))


async def test_lines_do_not_wait_for_others(tmp_path: Path) -> None:
    """A single line is written soon, though none follows it."""
    writer = LineWriter(str(tmp_path / "log"), tell)
    writer.write(LINE)
    await wait_for(lambda: (tmp_path / "log").read_text() == LINE)
    writer.close()


async def test_a_stuck_reader_costs_lines_and_no_time(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond what is held lines are dropped without waiting; when the reader goes on it is told how many."""
    monkeypatch.setattr(line_writer, "HELD_BYTES_MAX", 200_000)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = LineWriter(str(pipe), tell)
    for _ in range(10):
        for _ in range(1000):
            writer.write(LINE)
        writer.flush()
    received = read_all(reader).splitlines()
    writer.write(LINE)
    writer.close()
    received += read_all(reader).splitlines()
    os.close(reader)
    lost = next(int(line.split()[0]) for line in received if line.endswith(b"lost"))
    assert lost > 0
    assert received.count(LINE.strip().encode()) + lost == 10_001
    assert len(received) == 10_001 - lost + 1


async def test_a_reader_that_never_comes_back_ends_no_one(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing gives up on a stuck reader in bounded time; a reader that went away is no error."""
    monkeypatch.setattr(line_writer, "CLOSE_SECONDS", 0.1)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    stuck, gone = LineWriter(str(pipe), tell), LineWriter(str(pipe), tell)
    for _ in range(5000):
        stuck.write(LINE)
    stuck.close()
    os.close(reader)
    gone.write(LINE)
    gone.close()


async def test_a_handle_that_does_not_block_is_waited_for(pipe: Path) -> None:
    """Output that somebody made non-blocking loses nothing while its reader is slow."""
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = LineWriter(str(pipe), tell)
    os.set_blocking(writer._handle, False)
    for _ in range(2000):
        writer.write(LINE)
    writer.flush()
    assert read_all(reader) == LINE.encode() * 2000
    writer.close()
    os.close(reader)


async def test_a_new_file_follows_the_old_one(tmp_path: Path) -> None:
    """After `reopen` lines go to a new file of that name; when none can be made, to the old one still."""
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "log"
    writer = LineWriter(str(path), tell)
    writer.write("1\n")
    writer.flush()
    await wait_for(lambda: path.stat().st_size > 0)
    path.rename(tmp_path / "old")
    writer.reopen()
    writer.write("2\n")
    writer.flush()
    await wait_for(lambda: path.exists() and path.stat().st_size > 0)
    (tmp_path / "logs").rename(tmp_path / "away")
    writer.reopen()
    writer.write("3\n")
    writer.close()
    assert ((tmp_path / "old").read_text(), (tmp_path / "away" / "log").read_text()) == ("1\n", "2\n3\n")


def test_a_path_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    """A log in a directory that is not there is a setting that makes no sense."""
    with pytest.raises(ConfigInvalid, match="cannot be written to"):
        LineWriter(str(tmp_path / "none" / "log"), tell)
