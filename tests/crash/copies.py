"""One backup or restore in a process of its own, struck once: what `test_copies.py` has done many times."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from artifactstore import bootstrap
from artifactstore.backup.report import CopyReport
from artifactstore.config import Config
from artifactstore.errors import BackendUnavailable
from artifactstore.events.replay import Progress
from artifactstore.storage.files import OsFiles
from artifactstore.testing.faulty import Boundaries, BoundaryFiles, Fault, OnBoundary, Plan
from artifactstore.testing.faulty_database import never

TOLD = 3
"""Exit code of a job that failed as the library tells its callers."""


@dataclass(frozen=True)
class Job:
    """A `backup` of the store at `source` to `target`, or a `restore` of the backup at `source` to `target`."""

    name: str
    source: Path
    target: Path

    def run(self, on_file: OnBoundary = never, on_step: OnBoundary = never) -> CopyReport:
        """Do it, with boundaries around each change of a file at the target, and around each step of a stage."""
        files = BoundaryFiles(OsFiles(), on_file)
        steps = Boundaries(on_step)

        @contextmanager
        def stage(what: str, *, in_bytes: bool = False) -> Iterator[Progress]:
            with steps.around("stage", what):
                yield step

        def step(done: int, total: int) -> None:
            with steps.around("step", str(done)):
                pass

        if self.name == "backup":
            return bootstrap.backup(Config(data=str(self.source)), str(self.target), stage=stage, files=files)
        return bootstrap.restore(Config(data=str(self.target)), str(self.source), stage=stage, files=files)


def strike(job: Job, place: str, fault: Fault, at: int) -> None:
    """Run a job into its fault."""
    plan = Plan(at, fault)
    try:
        job.run(*((plan, never) if place == "files" else (never, plan)))
    except BackendUnavailable:
        sys.exit(TOLD)
