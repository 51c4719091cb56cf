"""`python -m artifactstore.testing.crash`: crash the store at every boundary of every main job, and judge what is left.

Each run is a process of its own that plays one scenario on a copy of one prepared store and is struck once: at a file
operation or at a database operation; killed before or after it, or failed there, or failed though persisted, or out of
space. Then the store is opened again and judged. The last rows lose power instead, at every commit, on a simulated disk
that keeps only what was synced.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from artifactstore.bootstrap import open_registry
from artifactstore.config import Config
from artifactstore.storage.files import OsFiles
from artifactstore.testing import crash_verdict
from artifactstore.testing.crash_power import lose_power
from artifactstore.testing.crash_scenarios import SCENARIOS, Journal, play, prepare
from artifactstore.testing.faulty import BoundaryFiles, Fault, OnBoundary, Plan
from artifactstore.testing.faulty_database import BoundaryDatabase, never

PLACES = ("files", "database")
NEVER = -2
RUN_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Strike:
    """Where and how one run is struck: at boundary `at` of the operations on `place`."""

    scenario: str
    place: str
    fault: Fault
    at: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run: whether the strike happened at all, and what was wrong afterwards."""

    strike: Strike
    struck: bool
    wrong: tuple[str, ...]


def main(arguments: Sequence[str]) -> int:
    """Run the matrix and print it; `--every N` takes each Nth boundary only. Exit code 1 when anything is wrong."""
    every = int(arguments[arguments.index("--every") + 1]) if "--every" in arguments else 1
    outcomes, power = run_matrix(every, out=sys.stdout.write)
    failures = [outcome for outcome in outcomes if outcome.wrong]
    for outcome in failures[:20]:
        sys.stdout.write(f"{outcome.strike}: {'; '.join(outcome.wrong)}\n")
    for fault in power[:20]:
        sys.stdout.write(f"power loss: {fault}\n")
    struck = sum(outcome.struck for outcome in outcomes)
    failed = len(failures) + len(power)
    sys.stdout.write(f"crash: {struck - len(failures)} passed, {failed} failed\n")
    return 1 if failed or not struck else 0


def run_matrix(every: int, out: Callable[[str], object]) -> tuple[list[Outcome], list[str]]:
    """Every strike, two at a time; prints a line for each cell of the matrix as it is done."""
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="artifactstore-crash-") as directory:
        prepared = Prepared.make(Path(directory))
        with get_context("spawn").Pool(os.cpu_count() or 1) as pool:
            for scenario in SCENARIOS:
                counted = count_operations(prepared, scenario)
                for place in PLACES:
                    for fault in Fault:
                        strikes = list(_strikes(scenario, place, fault, counted[place], every))
                        cell = pool.map(prepared.strike, strikes, chunksize=4)
                        outcomes += cell
                        out(_cell_line(scenario, place, fault, cell))
    power = [fault for scenario in SCENARIOS for fault in lose_power(scenario, out)]
    return outcomes, power


def _strikes(scenario: str, place: str, fault: Fault, operations: int, every: int) -> Iterator[Strike]:
    """Each boundary for a kill, each operation for a failure."""
    step = every if fault is Fault.KILL else 2 * every
    for at in range(0, 2 * operations, step):
        yield Strike(scenario, place, fault, at)


def _cell_line(scenario: str, place: str, fault: Fault, cell: Sequence[Outcome]) -> str:
    struck = sum(outcome.struck for outcome in cell)
    wrong = sum(bool(outcome.wrong) for outcome in cell)
    return f"{scenario:14} {place:9} {fault.value:21} {struck:4} strikes {wrong:4} wrong\n"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A store with what every scenario finds, and its journal; each run works on a copy."""

    directory: Path
    journal: bytes

    @classmethod
    def make(cls, directory: Path) -> Prepared:
        """Make the store, in a process of its own so that this one stays free of threads."""
        store = directory / "prepared"
        journal = _in_child(lambda descriptor: asyncio.run(_prepare(store, Journal(descriptor))))
        return cls(directory, journal.output)

    def strike(self, strike: Strike) -> Outcome:
        """One run on a copy, and its judgement."""
        with tempfile.TemporaryDirectory(dir=self.directory) as copy:
            config = Config(data=f"{copy}/store")
            shutil.copytree(self.directory / "prepared", config.data)
            run = _in_child(lambda descriptor: _play(config, strike, Journal(descriptor)))
            journal = [json.loads(line) for line in (self.journal + run.output).splitlines()]
            struck = run.killed or any(line["kind"] == "struck" for line in journal)
            verdict = _in_child(lambda descriptor: _judge(config, journal, descriptor))
        wrong = json.loads(verdict.output) if verdict.output else ["the judge did not finish"]
        if not run.killed and not run.clean:
            wrong.append("the run ended with an error that is not the library's")
        return Outcome(strike, struck, tuple(wrong))


def count_operations(prepared: Prepared, scenario: str) -> dict[str, int]:
    """How many operations a scenario has on each place, in a run that nothing strikes."""
    with tempfile.TemporaryDirectory(dir=prepared.directory) as copy:
        config = Config(data=f"{copy}/store")
        shutil.copytree(prepared.directory / "prepared", config.data)
        strike = Strike(scenario, "files", Fault.KILL, NEVER)
        run = _in_child(lambda descriptor: _play(config, strike, Journal(descriptor)))
    counted: dict[str, int] = next(
        line["operations"] for line in map(json.loads, run.output.splitlines()) if line["kind"] == "counted"
    )
    return counted


async def _prepare(store: Path, journal: Journal) -> None:
    registry = open_registry(Config(data=str(store), unsafe_no_sync=True), create=True)
    await prepare(registry, journal)
    await registry.close()


def _play(config: Config, strike: Strike, journal: Journal) -> None:
    """Open the store, put the strike in place, play, and close."""
    plan = Plan(NEVER, strike.fault)

    async def run() -> None:
        files = BoundaryFiles(OsFiles(), _only_on("files", strike, plan))
        database = BoundaryDatabase(config.sqlite_path, on_boundary=_only_on("database", strike, plan))
        registry = open_registry(config, files=files, database=database)
        before = {"files": files.operations, "database": database.operations}
        if strike.at != NEVER:
            plan.at = 2 * before[strike.place] + strike.at
        await play(strike.scenario, registry, journal)
        counted = {"files": files.operations - before["files"], "database": database.operations - before["database"]}
        journal.note("counted", "", operations=counted)
        await registry.close()

    try:
        asyncio.run(run())
    finally:
        if plan.struck:
            journal.note("struck", "")


def _only_on(place: str, strike: Strike, plan: Plan) -> OnBoundary:
    return plan if place == strike.place else never


def _judge(config: Config, journal: list[crash_verdict.Line], descriptor: int) -> None:
    wrong = asyncio.run(crash_verdict.judge(config, [line for line in journal if line["kind"] in ("intent", "ack")]))
    os.write(descriptor, json.dumps(wrong).encode())


@dataclass(frozen=True, slots=True)
class _Child:
    output: bytes
    killed: bool
    clean: bool


def _in_child(work: Callable[[int], object]) -> _Child:
    """Run `work` in a forked process, give it the writing end of a pipe, and return what it wrote."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        status = 1
        signal.alarm(RUN_SECONDS_MAX)
        try:
            work(writing)
            status = 0
        except BaseException as error:
            with contextlib.suppress(Exception):
                sys.stderr.write(f"{error!r}\n")
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        output = stream.read()
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return _Child(output, killed, status == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
