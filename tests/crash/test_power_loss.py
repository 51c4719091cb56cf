"""What was acknowledged is there after a power loss at any moment, and this test would notice if it were not.

Killing a process proves nothing about syncing: the kernel keeps what the process wrote. So the local backend runs on a
simulated disk, and the power goes at every boundary of its file operations.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from artifactstore.dataplane.inproc import InProcessDataPlane
from artifactstore.dataplane.spi import Hints, Upload
from artifactstore.errors import BackendUnavailable, ObjectMissing
from artifactstore.storage.backends.local import LocalStorage
from artifactstore.storage.files import Files
from artifactstore.storage.files_wrapped import UnsyncedFiles, WrappedFiles
from artifactstore.testing.faulty import Boundary, BoundaryFiles
from artifactstore.testing.planes import extend, ingest, read
from artifactstore.testing.simulated_files import SimulatedFiles

ROOT = "/srv/data/objects-here"
SMALL, LARGE = os.urandom(900), os.urandom(1_300_000)
PIECES = [os.urandom(size) for size in (70_000, 1_100_000, 3)]


def open_plane(files: Files) -> InProcessDataPlane:
    """A data plane over the store on this disk."""
    return InProcessDataPlane(LocalStorage(ROOT, files=files))


class NoDirectorySync(WrappedFiles):
    """A mistake that the tests must notice."""

    def sync_directory(self, path: str) -> None:
        pass


class NoDataSync(WrappedFiles):
    """Another one."""

    def sync_data(self, handle: int) -> None:
        pass


@dataclass
class PowerCuts:
    """An `on_boundary` that notes the disk as a power loss would leave it, with what was acknowledged until then."""

    disk: SimulatedFiles
    chance: random.Random | None = None
    acknowledged: list[bytes] = field(default_factory=list)
    noted: list[tuple[SimulatedFiles, list[bytes]]] = field(default_factory=list)

    def __call__(self, boundary: Boundary | None = None) -> None:
        self.noted.append((self.disk.power_loss(self.chance), [*self.acknowledged]))

    async def ingest(self, plane: InProcessDataPlane, data: bytes, hints: Hints | None = None) -> None:
        """Ingest an object's last bytes; with a whole object, they count as acknowledged."""
        await ingest(plane, data, hints)
        self.acknowledged.append(data if hints is None else b"".join(PIECES))
        self()

    async def unreadable(self) -> list[str]:
        """Each acknowledged object that some power loss took or spoiled."""
        return [
            f"{len(data)} bytes after {number} boundaries"
            for number, (disk, acknowledged) in enumerate(self.noted)
            for data in acknowledged
            if not await readable(disk, data)
        ]


async def readable(disk: SimulatedFiles, data: bytes) -> bool:
    """Whether a store opened on this disk serves `data` as it was ingested."""
    try:
        return await read(open_plane(disk), data) == data
    except (ObjectMissing, BackendUnavailable):
        return False


async def cut(mistake: Callable[[Files], Files] = WrappedFiles, chance: random.Random | None = None) -> PowerCuts:
    """Ingest objects of each kind, with a power loss at every boundary."""
    disk = SimulatedFiles()
    cuts = PowerCuts(disk, chance)
    plane = open_plane(mistake(BoundaryFiles(disk, cuts)))
    upload = Upload("upload")
    await cuts.ingest(plane, SMALL)
    await extend(plane, upload, PIECES[0])
    await cuts.ingest(plane, LARGE)
    await extend(plane, upload, PIECES[1])
    await cuts.ingest(plane, SMALL)
    await cuts.ingest(plane, PIECES[2], Hints(upload=upload))
    await cuts.ingest(plane, b"")
    return cuts


async def test_power_loss_at_every_boundary() -> None:
    """At every boundary of a file operation a power loss leaves every acknowledged object readable."""
    cuts = await cut()
    assert len(cuts.noted) > 100
    assert len(cuts.acknowledged) == 5
    assert await cuts.unreadable() == []


@pytest.mark.parametrize("seed", range(5))
async def test_power_loss_with_leftovers(seed: int) -> None:
    """The same holds on a disk that kept any part of what was not synced."""
    assert await (await cut(chance=random.Random(seed))).unreadable() == []


@pytest.mark.parametrize("mistake", [NoDirectorySync, NoDataSync, UnsyncedFiles])
async def test_a_missing_sync_is_noticed(mistake: Callable[[Files], Files]) -> None:
    """A backend that leaves out a sync of bytes or of names fails the same test."""
    assert await (await cut(mistake)).unreadable() != []


async def test_power_loss_under_load() -> None:
    """With many ingests of the same and other bytes at once, what was acknowledged is readable after a power loss."""
    disk = SimulatedFiles()
    cuts = PowerCuts(disk)
    plane = open_plane(BoundaryFiles(disk, cuts))
    objects = [os.urandom(size) for size in (10, 2000, 40_000, 300_000)]
    await asyncio.gather(*(cuts.ingest(plane, data) for data in objects * 3))
    assert await cuts.unreadable() == []


async def count_boundaries(data: bytes) -> int:
    """How many boundaries the first ingest of `data` into a new store has."""
    seen: list[Boundary] = []
    await ingest(open_plane(BoundaryFiles(SimulatedFiles(), seen.append)), data)
    return len(seen)


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
async def test_a_second_process_makes_durable_what_the_first_did_not(data: bytes) -> None:
    """Whatever a process that died left of an object, the next to put the same bytes acknowledges only durable ones."""
    boundaries = await count_boundaries(data)
    assert boundaries > 20
    for at in range(boundaries):
        disk = SimulatedFiles()

        def die(boundary: Boundary, at: int = at) -> None:
            if boundary.index >= at:
                raise OSError("the process is dead")

        with pytest.raises(BackendUnavailable):
            await ingest(open_plane(BoundaryFiles(disk, die)), data)
        await ingest(open_plane(disk), data)
        assert await readable(disk.power_loss(), data), f"after boundary {at}"


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
async def test_a_failed_ingest_shows_nothing(data: bytes) -> None:
    """When one file operation fails, done or not, the object is either acknowledged and durable or not there at all."""
    for at in range(await count_boundaries(data)):
        disk = SimulatedFiles()

        def fail(boundary: Boundary, at: int = at) -> None:
            if boundary.index == at:
                raise OSError("one failure")

        try:
            await ingest(open_plane(BoundaryFiles(disk, fail)), data)
        except BackendUnavailable:
            assert not await readable(disk, data), f"half-visible after boundary {at}"
            await ingest(open_plane(disk), data)
        assert await readable(disk.power_loss(), data), f"after boundary {at}"
