"""`artifactstore health`."""

from __future__ import annotations

import typer

from artifactstore.cli import output
from artifactstore.cli.errors import Exit
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, with_registry


@examples(
    "health",
    "health --data /srv/artifacts --json",
)
def health(data: Data = None, as_json: AsJson = False) -> None:
    """Check database, storage, free space and clock of the store; ends with 1 when it cannot serve."""
    from artifactstore.registry import rendering

    found = with_registry(data, lambda registry: registry.health())
    if as_json:
        output.json_document(rendering.health(found))
    else:
        rows = [(name, "ok" if sound else "FAILED", words) for name, (sound, words) in found.checks.items()]
        output.table(("CHECK", "STATE", "DETAIL"), rows)
    if not found.ready:
        raise typer.Exit(Exit.FOUND)
