"""`artifactstore version`."""

from __future__ import annotations

import platform

import artifactstore
from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import AsJson


@examples(
    "version",
    "version --json",
)
def version(as_json: AsJson = False) -> None:
    """Say which version this is."""
    if as_json:
        output.lines(f'{{"version":"{artifactstore.__version__}","python":"{platform.python_version()}"}}')
    else:
        output.lines(f"artifactstore {artifactstore.__version__}")
