"""`artifactstore manifest`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from artifactstore.cli import output
from artifactstore.cli.examples import examples
from artifactstore.cli.store import Data, Package, Server
from artifactstore.cli.stores import with_store

Cbor = Annotated[
    bool, typer.Option("--cbor", help="Write the canonical CBOR itself, byte for byte; not to a terminal.")
]
Jcs = Annotated[bool, typer.Option("--json", help="Write its JSON projection (RFC 8785), byte for byte.")]


@examples(
    "manifest acme/reports:v1",
    "manifest acme/reports:v1 --cbor > manifest.cbor",
)
def manifest(
    package: Package, cbor: Cbor = False, as_json: Jcs = False, data: Data = None, server: Server = None
) -> None:
    """Print a package's native manifest: indented for people, exact with --cbor or --json."""
    from artifactstore.errors import ParameterInvalid
    from artifactstore.identity.references import PackageName
    from artifactstore.manifest.projection import to_jcs

    if cbor and as_json:
        raise ParameterInvalid("--cbor and --json exclude each other")
    if cbor and output.is_terminal():
        raise ParameterInvalid("CBOR is not for a terminal: send it to a file or a program")
    name = PackageName.parse(package)
    found = with_store(data, server, lambda store: store.native_manifest(name))
    if cbor:
        output.raw(found)
    elif as_json:
        output.raw(to_jcs(found))
    else:
        output.lines(json.dumps(json.loads(to_jcs(found)), ensure_ascii=True, indent=2))
