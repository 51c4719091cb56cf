"""What tests of backups share: stores to copy, and a look at whether a copy is whole."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from artifactstore.bootstrap import open_database, open_registry
from artifactstore.config import Config
from artifactstore.dataplane.inproc import InProcessDataPlane
from artifactstore.events import replay
from artifactstore.events.views import objects
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import ContentAddress, Digest, digest_bytes
from artifactstore.identity.names import RepositoryName
from artifactstore.registry.registry import Registry
from artifactstore.storage.backends.local import LocalStorage
from artifactstore.storage.spi import key_of
from tests.stores import chunks, fresh_config

T = TypeVar("T")
LARGE = b"large " * 60_000
"""More than the data plane stores in one step."""


def changed(directory: Path, work: Callable[[Registry], Awaitable[T]]) -> T:
    """Do something to the store in a directory, which is made when there is none."""

    async def run() -> T:
        registry = open_registry(fresh_config(directory, unsafe_no_sync=True))
        try:
            return await work(registry)
        finally:
            await registry.close()

    return asyncio.run(run())


def head(directory: Path) -> int:
    """The last sequence of the store in a directory."""
    with closing(sqlite3.connect(directory / "artifactstore.sqlite")) as connection:
        (sequence,) = connection.execute("SELECT sequence FROM log_head").fetchone()
    return int(sequence)


def object_path(directory: Path, data: bytes) -> Path:
    """Where the object of these bytes lies."""
    return directory / "storage" / "objects" / key_of(ContentAddress(digest_bytes("blake3", data).hex))


def faults(directory: Path) -> list[str]:
    """Everything that is wrong with the store in a directory: its log, its views, its objects (empty: it is whole)."""
    database = open_database(Config(data=str(directory)))
    with closing(database.connect(read_only=True)) as connection:
        found = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
    found += replay.check(database).differences
    return found + asyncio.run(_bad_objects(directory))


async def _bad_objects(directory: Path) -> list[str]:
    storage = LocalStorage(str(directory / "storage"))
    plane = InProcessDataPlane(storage)
    found: list[str] = []
    with open_database(Config(data=str(directory))).snapshot() as session:
        for row in session.all(objects.LOCATIONS, after="", limit=10_000):
            known = map(Digest.parse, session.all(objects.DIGESTS_OF, address=row.content_address))
            expected = {digest.algorithm: digest for digest in known}
            address = ContentAddress.parse(row.content_address)
            found += (await plane.verify_object(address, expected, row.size)).mismatches
    plane.close()
    storage.close()
    return found


async def open_upload(registry: Registry) -> None:
    """An upload that nobody finishes."""
    status = await registry.open_upload(ANONYMOUS, RepositoryName("acme/one"))
    await registry.append_upload(ANONYMOUS, RepositoryName("acme/one"), status.upload_id, chunks(b"staged"))
