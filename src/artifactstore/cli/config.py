"""`artifactstore config`."""

from __future__ import annotations

from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson, Data


@examples("config show", "config show --data /srv/artifacts --json")
def show(data: Data = None, as_json: AsJson = False) -> None:
    """Print every setting that counts, and where it comes from: default, environment or option. No secrets."""
    from artifactstore.config import load_with_sources, shown, variable

    config, sources = load_with_sources({"data": data})
    settings = [
        {"name": name, "variable": variable(name), "value": value, "source": sources[name]}
        for name, value in shown(config).items()
    ]
    if as_json:
        output.json_document({"settings": settings})
    else:
        rows = [(row["variable"], row["value"], row["source"]) for row in settings]
        output.table(("SETTING", "VALUE", "FROM"), rows)
