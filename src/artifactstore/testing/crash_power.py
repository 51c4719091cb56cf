"""Power loss: `kill -9` leaves the page cache, a power loss does not.

The scenarios run on a simulated disk that keeps only what was synced. At each commit the disk of that moment is looked
at: every object that a committed fact names must be on it, whole. So no fact ever points at bytes that are not durable.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing

from artifactstore.bootstrap import open_registry
from artifactstore.config import Config
from artifactstore.events import migrate
from artifactstore.identity.digest import ContentAddress, digest_bytes
from artifactstore.storage.files import Files
from artifactstore.storage.spi import key_of
from artifactstore.testing.crash_scenarios import Journal, play, prepare
from artifactstore.testing.faulty_database import BoundaryDatabase
from artifactstore.testing.simulated_files import SimulatedFiles

ROOT = "/store"


def lose_power(
    scenario: str, out: Callable[[str], object], wrap: Callable[[Files], Files] = lambda files: files
) -> list[str]:
    """Play a scenario and look at the disk at each commit; returns what would have been lost, in words.

    `wrap` may spoil the file operations, to see that this notices.
    """
    disk = SimulatedFiles()
    with tempfile.TemporaryDirectory(prefix="artifactstore-power-") as directory:
        config = Config(data=directory, storage_local_root=ROOT)
        watch = _Watch(config.sqlite_path, disk)
        database = BoundaryDatabase(config.sqlite_path, on_commit=watch.look)
        migrate.upgrade(database)
        asyncio.run(_run(config, database, wrap(disk), scenario))
    out(f"{scenario:14} power loss at each of {watch.commits} commits {len(watch.lost):12} wrong\n")
    return watch.lost


async def _run(config: Config, database: BoundaryDatabase, files: Files, scenario: str) -> None:
    registry = open_registry(config, database=database, files=files)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        await prepare(registry, Journal(nowhere))
        await play(scenario, registry, Journal(nowhere))
    finally:
        os.close(nowhere)
        await registry.close()


class _Watch:
    """Compares the durable state of the disk with what the committed facts name."""

    def __init__(self, database_path: str, disk: SimulatedFiles) -> None:
        self._path = database_path
        self._disk = disk
        self.commits = 0
        self.lost: list[str] = []

    def look(self) -> None:
        """Called after each commit, before anybody is answered."""
        self.commits += 1
        after = self._disk.power_loss()
        with closing(sqlite3.connect(self._path)) as connection:
            named = connection.execute("SELECT content_address, size FROM storage_locations").fetchall()
        for text, size in named:
            address = ContentAddress.parse(text)
            if not _holds(after, address, size):
                self.lost.append(f"{address} is named by a fact and not durable at commit {self.commits}")


def _holds(disk: SimulatedFiles, address: ContentAddress, size: int) -> bool:
    try:
        handle = disk.open(f"{ROOT}/objects/{key_of(address)}", "read")
    except FileNotFoundError:
        return False
    data = disk.read(handle, size + 1, 0)
    disk.close(handle)
    return str(digest_bytes("blake3", data)) == str(address)
