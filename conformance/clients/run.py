"""Real clients against the server: every one is put through every scenario that it has commands for.

`make clients` installs them, prints the matrix, and fails for any cell that did not pass; `make clients-docs` also
writes `docs/clients.md`. No network beyond loopback is used once the clients are there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from conformance.clients import page
from conformance.clients.buildah import Buildah
from conformance.clients.client import Client
from conformance.clients.cosign import Cosign2, Cosign3
from conformance.clients.crane import Crane
from conformance.clients.helm import Helm3, Helm4
from conformance.clients.matrix import Cell, Matrix, as_text
from conformance.clients.notation import Notation
from conformance.clients.oras import Oras
from conformance.clients.oras_py import OrasPy
from conformance.clients.podman import Podman
from conformance.clients.regctl import Regctl
from conformance.clients.scenarios import SCENARIOS, Scenario, name_of
from conformance.clients.scene import Credentials, Registry, StepFailed, open_scene
from conformance.clients.skopeo import Skopeo
from conformance.server import ServerFailed, exit_on_terminate, serving
from conformance.tools import ToolMissing

RESULTS = Path(__file__).resolve().parent / "results"
WORKERS = 2
SETTINGS = {"ARTIFACTSTORE_PAGE_SIZE_MAX": "400"}
"""So that clients that ask for everything at once have to follow links too."""
CLIENTS: Sequence[Client] = (
    *(Oras(), OrasPy(), Crane(), Regctl(), Skopeo(), Buildah(), Podman()),
    *(Cosign3(), Cosign2(), Notation(), Helm4(), Helm3()),
)


def play(client: Client, scenario: Scenario, registry: Registry) -> Cell:
    """Put a client through a scenario, in a repository and a workspace of its own."""
    reason = client.cannot.get(name_of(scenario))
    if reason is not None:
        return Cell("n/a", reason)
    words = "-".join((client.name, name_of(scenario))).replace(" ", "").replace("_", "-")
    with tempfile.TemporaryDirectory(prefix="client-", ignore_cleanup_errors=True) as folder:
        try:
            scenario(client, open_scene(registry, f"clients/{words}", Path(folder)))
        except Exception as problem:  # whatever goes wrong is this cell's, and the others are still played
            named = "" if isinstance(problem, StepFailed) else f"{type(problem).__name__}: "
            return Cell("FAIL", f"{named}{problem}")
    return Cell("pass")


def installed(clients: Sequence[Client]) -> tuple[dict[str, str], dict[str, str]]:
    """The version of every client that is there, and what is wrong with every other one."""
    versions, problems = {}, {}
    for client in clients:
        try:
            versions[client.name] = client.install()
        except ToolMissing as problem:
            problems[client.name] = str(problem)
    return versions, problems


def fill(matrix: Matrix, clients: Sequence[Client], scenarios: Sequence[Scenario], registry: Registry) -> None:
    """Put every client through every scenario, and say how each went."""
    for client in clients:
        for scenario in scenarios:
            began = time.monotonic()
            cell = matrix.cells[name_of(scenario), client.name] = play(client, scenario, registry)
            seconds = time.monotonic() - began
            print(f"  {cell.mark:4}  {client.name:9} {name_of(scenario):20} {seconds:6.2f} s  {cell.why}", flush=True)


def run(
    clients: Sequence[Client], scenarios: Sequence[Scenario], registry: Registry
) -> tuple[Matrix, Mapping[str, str]]:
    """The whole matrix, and the versions of the clients in it; one that cannot be installed fails throughout."""
    matrix = Matrix([name_of(scenario) for scenario in scenarios], [client.name for client in clients])
    versions, problems = installed(clients)
    for name, problem in problems.items():
        matrix.cells |= {(scenario, name): Cell("FAIL", problem) for scenario in matrix.scenarios}
    fill(matrix, [client for client in clients if client.name in versions], scenarios, registry)
    return matrix, versions


def chosen(clients: Sequence[str], scenarios: Sequence[str]) -> tuple[list[Client], list[Scenario]]:
    """The clients and scenarios with these names, all of them where none is named, that have to do with each other."""
    pairs = [
        (client, scenario)
        for client in CLIENTS
        for scenario in SCENARIOS
        if client.name in (clients or [client.name]) and name_of(scenario) in (scenarios or [name_of(scenario)])
        if name_of(scenario) not in client.cannot
    ]
    players, played = {client for client, _ in pairs}, {scenario for _, scenario in pairs}
    return [it for it in CLIENTS if it in players], [it for it in SCENARIOS if it in played]


@contextmanager
def chosen_registry(options: argparse.Namespace) -> Iterator[Registry]:
    """The registry that was named, else a server of our own with two worker processes."""
    if options.registry:
        user, _, secret = (options.credentials or "").partition(":")
        yield Registry(options.registry, Credentials(user, secret) if user else None)
        return
    with serving(workers=options.workers, log=RESULTS / "server-clients.log", settings=SETTINGS) as server:
        yield Registry(server.host)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="conformance.clients.run", description=(__doc__ or "").partition("\n")[0])
    names, scenarios = [client.name for client in CLIENTS], [name_of(scenario) for scenario in SCENARIOS]
    parser.add_argument("--client", action="append", choices=names, help="only this one; may be repeated")
    parser.add_argument("--scenario", action="append", choices=scenarios, help="only this one; may be repeated")
    parser.add_argument("--workers", type=int, default=WORKERS, help="worker processes (default: %(default)s)")
    parser.add_argument("--registry", metavar="HOST:PORT", help="a registry that runs already, with nothing in it")
    parser.add_argument("--credentials", metavar="USER:SECRET", help="for a registry that wants them")
    parser.add_argument("--write-docs", action="store_true", help="write docs/clients.md if everything passed")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Fill the matrix, print it; 0 when all of it passed."""
    options = parsed(arguments)
    exit_on_terminate()
    clients, scenarios = chosen(options.client or [], options.scenario or [])
    if options.write_docs and (options.client or options.scenario):
        print("only the whole matrix is written to docs/clients.md", file=sys.stderr)
        return 2
    try:
        with chosen_registry(options) as registry:
            matrix, versions = run(clients, scenarios, registry)
    except ServerFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"\n{as_text(matrix)}")
    if matrix.passes and options.write_docs:
        page.write(matrix, versions, clients, scenarios)
    return 0 if matrix.passes else 1


if __name__ == "__main__":
    sys.exit(main())
