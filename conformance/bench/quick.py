"""A quick look at speed: manifest GETs by tag, and a big blob's push and pull, beside peers on this machine.

Rounds are interleaved, so that a noisy moment hits every registry; medians are
printed with every round beside them. How to start a peer: see README.md here.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from conformance.bench.traffic import (
    Registry,
    TrafficFailed,
    delete_blob,
    digest_of,
    manifest_gets,
    pull_blob,
    push_blob,
    push_manifest,
)
from conformance.server import ServerFailed, exit_on_terminate, serving

MIB = 1 << 20
COLUMNS = ("manifest GET/s", "push MiB/s", "pull MiB/s")
Figures = dict[tuple[str, str], list[float]]


def main(arguments: list[str] | None = None) -> int:
    """Measure our server and the peers, and print the table; 0 unless a registry failed."""
    options = parse(arguments)
    exit_on_terminate()
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="artifactstore-bench-")))
            registries = [*options.peers]
            for workers in options.workers or [1]:
                server = stack.enter_context(serving(workers=workers, log=folder / f"server-{workers}.log"))
                registries.append(Registry.parse(f"artifactstore-{workers}w={server.url}"))
            figures = measure(registries, folder, options)
    except (ServerFailed, TrafficFailed, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    show(registries, figures)
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="conformance.bench.quick", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("peers", nargs="*", type=Registry.parse, metavar="name=http://127.0.0.1:PORT")
    parser.add_argument("--workers", action="append", type=int, help="worker processes of ours (default: 1)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="length of one round of GETs")
    parser.add_argument("--size-mib", type=int, default=1024, help="size of the blob")
    return parser.parse_args(arguments)


def measure(registries: Sequence[Registry], folder: Path, options: argparse.Namespace) -> Figures:
    """Take every round of every measurement, one registry after the other within a round."""
    figures: Figures = defaultdict(list)
    for registry in registries:
        push_manifest(registry, folder)
    for number in range(options.rounds):
        for registry in registries:
            figures[registry.name, COLUMNS[0]].append(manifest_gets(registry, options.seconds))
        print(f"round {number + 1} of {options.rounds}: manifests done", flush=True)
    blob = random_file(folder / "blob", options.size_mib)
    for number in range(options.rounds):
        digest = renew(blob)
        for registry in registries:
            figures[registry.name, COLUMNS[1]].append(options.size_mib / push_blob(registry, blob, digest))
            figures[registry.name, COLUMNS[2]].append(
                options.size_mib / pull_blob(registry, digest, blob.stat().st_size)
            )
            delete_blob(registry, digest)
        print(f"round {number + 1} of {options.rounds}: blobs done", flush=True)
    return figures


def random_file(path: Path, size_mib: int) -> Path:
    """A file that nothing can compress."""
    with path.open("wb") as file:
        for _ in range(size_mib):
            file.write(os.urandom(MIB))
    return path


def renew(path: Path) -> str:
    """Change the file's first bytes, so that no registry has it yet, and return its digest."""
    with path.open("r+b") as file:
        file.write(os.urandom(16))
    return digest_of(path)


def show(registries: Sequence[Registry], figures: Figures) -> None:
    """Print the medians, and every round beside them."""
    print(f"{'registry':20}" + "".join(f"{column:>18}" for column in COLUMNS) + "   (medians; rounds below)")
    for registry in registries:
        medians = [statistics.median(figures[registry.name, column]) for column in COLUMNS]
        print(f"{registry.name:20}" + "".join(f"{median:18,.0f}" for median in medians))
    for registry in registries:
        for column in COLUMNS:
            rounds = "  ".join(f"{figure:,.0f}" for figure in figures[registry.name, column])
            print(f"  {registry.name} {column}: {rounds}")


if __name__ == "__main__":
    sys.exit(main())
