"""Backups and restores are killed and failed at every step: what was there before is whole, and a rerun finishes."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from artifactstore.registry.registry import Registry
from artifactstore.testing.faulty import Boundary, Fault
from tests.backups import LARGE, changed, faults, head
from tests.crash.copies import TOLD, Job, strike
from tests.stores import push_blob, push_image

DATABASE = "artifactstore.sqlite"
EVERY = 41
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.crash.copies"])


async def begin(registry: Registry) -> None:
    """What the earlier backup has."""
    await push_blob(registry, "acme/one", b"{}")


async def go_on(registry: Registry) -> None:
    """What came since."""
    await push_image(registry, "acme/one", "v1", [b"small", LARGE])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `store`, an `earlier` backup of it, and a `whole` one of now."""
    directory = tmp_path_factory.mktemp("prepared")
    changed(directory / "store", begin)
    Job("backup", directory / "store", directory / "earlier").run()
    changed(directory / "store", go_on)
    shutil.copytree(directory / "earlier", directory / "whole")
    Job("backup", directory / "store", directory / "whole").run()
    return directory


def job_of(name: str, prepared: Path, target: Path) -> Job:
    """A backup over a copy of the earlier one, or a restore to nowhere."""
    if name == "restore":
        return Job(name, prepared / "whole", target)
    shutil.copytree(prepared / "earlier", target)
    return Job(name, prepared / "store", target)


def strikes(job: Job) -> Iterator[tuple[str, Fault, int]]:
    """A kill at every boundary and each failure of every file operation; of those at objects each 41st will do here."""
    files: list[Boundary] = []
    steps: list[Boundary] = []
    job.run(files.append, steps.append)
    assert len(files) > 60
    assert len(steps) > 8
    objects = f"{job.target}/storage"
    telling = [at for at, boundary in enumerate(files) if not boundary.path.startswith(objects)]
    chosen = sorted({*telling, *range(0, len(files), EVERY)})
    yield from (("steps", Fault.KILL, at) for at in range(0, len(steps), 2))
    yield from (("files", Fault.KILL, at) for at in chosen)
    for fault in (Fault.FAILED, Fault.PERSISTED, Fault.NO_SPACE):
        yield from (("files", fault, at) for at in sorted({at // 2 * 2 for at in chosen}))


def struck(job: Job, place: str, fault: Fault, at: int) -> int | None:
    """How the process of a job ended that ran into a fault."""
    process = PROCESSES.Process(target=strike, args=(job, place, fault, at))
    process.start()
    process.join(60)
    return process.exitcode


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_struck_copy_leaves_the_earlier_one_whole(name: str, prepared: Path, tmp_path: Path) -> None:
    """Wherever it is killed or failed, there is the earlier copy or the new one, whole; and the next run finishes."""
    heads = {head(prepared / "earlier"), head(prepared / "store")}
    ended = Counter[tuple[Fault, int | None]]()
    for number, (place, fault, at) in enumerate(strikes(job_of(name, prepared, tmp_path / "counted"))):
        target = tmp_path / str(number)
        job = job_of(name, prepared, target)
        code = struck(job, place, fault, at)
        ended[fault, code] += 1
        where = f"{name}, {fault.value} at {place} {at}: ended with {code}"
        if there := (target / DATABASE).exists():
            assert faults(target) == [], where
            assert head(target) in heads, where
        assert there or name == "restore", where
        if name == "backup" or not there:
            assert job.run().sound, where
        assert head(target) == max(heads), where
        assert {path.name for path in target.iterdir()} == {DATABASE, "storage"}, where
        shutil.rmtree(target)
    assert ended[Fault.KILL, -signal.SIGKILL] > 10
    assert {code for fault, code in ended if fault is not Fault.KILL} == {0, TOLD}
    assert ended[Fault.NO_SPACE, TOLD] > 3
