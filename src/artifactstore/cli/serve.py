"""`artifactstore serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from artifactstore.cli.examples import examples
from artifactstore.cli.store import Data, settings

Host = Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="Address to listen on. [127.0.0.1]")]
Port = Annotated[int | None, typer.Option("--port", metavar="N", help="Port to listen on; 0 takes a free one. [8000]")]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", help="Server processes. [1]")]


OnlyRead = Annotated[bool, typer.Option("--read-only", help="Refuse every change, and write nothing.")]


@examples(
    "serve --data /srv/artifacts",
    "serve --port 0 --workers 2",
)
def serve(
    data: Data = None, host: Host = None, port: Port = None, workers: Workers = None, read_only: OnlyRead = False
) -> None:
    """Serve the store over HTTP; its data directory is made and migrated when needed."""
    from artifactstore.api.http.server import serve as serve_config

    serve_config(settings(data=data, host=host, port=port, workers=workers, read_only=read_only or None))
