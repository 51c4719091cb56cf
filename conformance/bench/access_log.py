"""What the access log costs: processor microseconds a line by itself, and manifest GETs with it on and off, in turns.

The log goes to a file. The two servers take each round one after the other, so that a noisy moment hits both; beside
the rates stands the processor time of a request, which neighbours on the machine disturb less.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from artifactstore.api.http.access_log import AccessLog, Exchange
from conformance.bench.traffic import Registry, TrafficFailed, manifest_gets, push_manifest
from conformance.server import Server, ServerFailed, exit_on_terminate, serving

LINES = 2_000
LINE_ROUNDS = 45
TARGET = b"/v2/acme/reports/manifests/latest"
HEADERS = [
    (b"host", b"registry.example:8000"),
    (b"user-agent", b"oras/1.2.0"),
    (b"accept", b"application/vnd.oci.image.manifest.v1+json"),
    (b"accept-encoding", b"gzip"),
]


class Round(NamedTuple):
    """A round of both servers: requests a second, and microseconds of processor time a request."""

    on: float
    off: float
    on_cpu: float
    off_cpu: float


def main(arguments: list[str] | None = None) -> int:
    """Measure both, and print the medians with every round beside them; 0 unless a server failed."""
    options = parse(arguments)
    exit_on_terminate()
    try:
        with tempfile.TemporaryDirectory(prefix="artifactstore-bench-") as folder:
            lines = [asyncio.run(microseconds_a_line(Path(folder, "lines.log"))) for _ in range(LINE_ROUNDS)]
            found = in_turns(Path(folder), options)
    except (ServerFailed, TrafficFailed, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    show(lines, found)
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="conformance.bench.access_log", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=2, help="length of one round of GETs")
    return parser.parse_args(arguments)


async def microseconds_a_line(path: Path) -> float:
    """Processor time from the request's head to the line in the writer's hands, without the server around it."""
    log = AccessLog(str(path))
    began = time.thread_time()
    for _ in range(LINES):
        exchange = Exchange()
        exchange.read_head(b"GET", TARGET, HEADERS)
        exchange.id = log.new_id()
        exchange.sent = 500
        log.write(exchange, "127.0.0.1:50000", 200)
    seconds = time.thread_time() - began
    log.close()
    return seconds / LINES * 1e6


def in_turns(folder: Path, options: argparse.Namespace) -> list[Round]:
    """Manifest GETs by tag: from one server with the log, from one without, in turns."""
    found = []
    with ExitStack() as stack:
        pair = [stack.enter_context(filled(folder, name)) for name in ("on", "off")]
        for _ in range(options.rounds):
            (on, on_cpu), (off, off_cpu) = [measure(server, options.seconds) for server in pair]
            found.append(Round(on, off, on_cpu, off_cpu))
    return found


@contextmanager
def filled(folder: Path, name: str) -> Iterator[Server]:
    """A warm server with something to ask for, whose access log is `on` or `off`."""
    target = "off" if name == "off" else str(folder / "access.log")
    settings = {"ARTIFACTSTORE_ACCESS_LOG": target}
    with serving(workers=1, log=folder / f"{name}.log", settings=settings) as server:
        push_manifest(Registry.parse(f"{name}={server.url}"), folder)
        measure(server, 1)
        yield server


def measure(server: Server, seconds: int) -> tuple[float, float]:
    """Requests a second, and microseconds of the server's processor time for each."""
    before = cpu_seconds(server.process.pid)
    rate = manifest_gets(Registry.parse(f"ours={server.url}"), seconds)
    return rate, (cpu_seconds(server.process.pid) - before) / (rate * seconds) * 1e6


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, of all its threads (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show(lines: list[float], found: list[Round]) -> None:
    """Print the medians, and every round beside them."""
    print(row("processor microseconds a line by itself", lines, 1))
    print(row("manifest GET/s, log on", [each.on for each in found], 0))
    print(row("manifest GET/s, log off", [each.off for each in found], 0))
    print(row("ratio of these, on to off", [each.on / each.off for each in found], 3))
    print(row("processor microseconds a GET, log on", [each.on_cpu for each in found], 1))
    print(row("processor microseconds a GET, log off", [each.off_cpu for each in found], 1))
    print(row("difference of these", [each.on_cpu - each.off_cpu for each in found], 1))


def row(name: str, figures: list[float], decimals: int) -> str:
    """A median, and what it is the median of."""
    rounds = "  ".join(f"{figure:,.{decimals}f}" for figure in figures)
    return f"{name:42}{statistics.median(figures):10,.{decimals}f}   rounds: {rounds}"


if __name__ == "__main__":
    sys.exit(main())
