"""`artifactstore migrate`."""

from __future__ import annotations

from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data, settings


@examples(
    "migrate --data /srv/artifacts",
    "migrate --json",
)
def migrate(data: Data = None, as_json: AsJson = False) -> None:
    """Bring the database to this program's schema; make it where there is none."""
    from artifactstore import bootstrap
    from artifactstore.events import migrate as migrations

    database = bootstrap.open_database(settings(data=data))
    before, after = migrations.upgrade(database)
    if as_json:
        output.json_document({"database": database.path, "before": before, "after": after})
    elif before == after:
        output.lines(f"{database.path} is at schema {after}")
    else:
        output.lines(f"{database.path}: schema {before or 'none'} -> {after}")
