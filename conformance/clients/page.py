"""`docs/clients.md`: what was tried with which version of which client, the same for the same outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.clients.client import Client
from conformance.clients.matrix import Matrix, table
from conformance.clients.scenarios import Scenario, name_of, words_of
from conformance.tools import ROOT

PATH = ROOT / "docs" / "clients.md"
INTRODUCTION = """\
# Clients

<!-- Written by `make clients-docs`; edit the scenarios instead. -->

The programs that people have, put through what they do with a registry, against `artifactstore serve` with two worker
processes and pages of at most 400 entries, on loopback and without any other network. Each scenario also holds the
native API and the log to what the client did. `make clients` runs it all again and fails for anything but `pass` and a
stated reason."""


def render(
    matrix: Matrix, versions: Mapping[str, str], clients: Sequence[Client], scenarios: Sequence[Scenario]
) -> str:
    """The page as Markdown."""
    notes = [f"{number}. {note}" for number, note in enumerate(matrix.footnotes(), 1)]
    programs = [["client", "version", "from"], *([it.name, versions[it.name], it.source] for it in clients)]
    played = [["scenario", "what must hold"], *([name_of(it).replace("_", " "), words_of(it)] for it in scenarios)]
    return (
        "\n\n".join(
            [
                INTRODUCTION,
                table(matrix.rows()),
                "n/a, not applicable: a client\n\n" + "\n".join(notes),
                "## Scenarios",
                table(played),
                "## Versions",
                table(programs),
            ]
        )
        + "\n"
    )


def write(
    matrix: Matrix, versions: Mapping[str, str], clients: Sequence[Client], scenarios: Sequence[Scenario]
) -> None:
    """Write the page."""
    PATH.write_text(render(matrix, versions, clients, scenarios), encoding="utf-8")
    print(f"wrote {PATH.relative_to(ROOT)}")
