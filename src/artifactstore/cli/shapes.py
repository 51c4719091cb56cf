"""What each command prints with --json, as JSON Schemas made of those of the API; the reference page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from artifactstore.api.http import schemas
from artifactstore.api.http.schemas import COUNT, DIGEST, FLAG, OBJECT, TEXT, Schema, named, optional, record, several

EITHER = "anyOf"
_CHANGE = record(
    fate={"enum": ["deleted", "stays", "orphaned"]},
    what=TEXT,
    name=TEXT,
    detail=optional(TEXT),
)
_DELETION = record(dry_run=FLAG, changes=several(_CHANGE), size=COUNT)
_SETTING = record(name=TEXT, variable=TEXT, value=TEXT, source={"enum": ["default", "environment", "option"]})
_ROOT = record(repository=TEXT, tag=optional(TEXT), digest=DIGEST)
_TRANSFER = record(
    dry_run=FLAG,
    roots=several(_ROOT),
    tags=COUNT,
    referrers=COUNT,
    manifests=record(copied=COUNT, skipped=COUNT),
    blobs=record(copied=COUNT, mounted=COUNT, skipped=COUNT),
    bytes=COUNT,
)
_COPY = record(
    sound=FLAG,
    log_id=TEXT,
    sequence=COUNT,
    leaf_hash=TEXT,
    objects=COUNT,
    bytes=COUNT,
    copied=COUNT,
    copied_bytes=COUNT,
    present=COUNT,
    replaced=COUNT,
    damaged=several(record(digest=DIGEST, size=COUNT, problem=TEXT, named_by=several(TEXT))),
    differences=several(TEXT),
)
_EVENT = {**schemas.EVENT, "required": [*schemas.EVENT["properties"]]}

SHAPES: Mapping[str, Schema] = {
    "migrate": record(database=TEXT, before=optional(TEXT), after=TEXT),
    "health": named("Health"),
    "version": record(version=TEXT, python=TEXT),
    "ls": {EITHER: [record(repositories=several(named("Repository"))), record(packages=several(named("Package")))]},
    "show": record(**schemas.PACKAGE["properties"], files=several(named("File")), referrers=several(named("Referrer"))),
    "manifest": OBJECT,
    "tag": record(repository=TEXT, digest=DIGEST, tags=several(TEXT)),
    "rm": _DELETION,
    "cp": _TRANSFER,
    "export": _TRANSFER,
    "import": _TRANSFER,
    "repo ls": record(repositories=several(named("Holdings"))),
    "repo rm": _DELETION,
    "events": _EVENT,
    "replay": record(events=COUNT, checked=FLAG, differences=several(TEXT)),
    "sweep": record(dry_run=FLAG, uploads=COUNT, objects=COUNT, bytes=COUNT),
    "backup": _COPY,
    "restore": _COPY,
    "config show": record(settings=several(_SETTING)),
}
"""Command -> the schema of its document; of `events`, of each line; `manifest` prints the projection of one."""


def complete(schema: Schema) -> Schema:
    """The schema with the named ones it refers to."""
    return {**schema, "components": {"schemas": schemas.SCHEMAS}}


def written(schema: Schema) -> str:
    """A schema as people read one: names and kinds of values, in one line."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if EITHER in schema:
        return " or ".join(map(written, schema[EITHER]))
    if "enum" in schema:
        return " or ".join(f'"{word}"' for word in schema["enum"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if schema.get("type") == "array":
        return f"[{written(schema['items'])}, ...]"
    if "properties" in schema:
        return "{" + ", ".join(f'"{name}": {written(kind)}' for name, kind in schema["properties"].items()) + "}"
    if isinstance(schema.get("additionalProperties"), dict):
        return "{name: " + written(schema["additionalProperties"]) + ", ...}"
    return _KINDS[schema.get("type", "object")]


_KINDS = {"string": "text", "integer": "number", "boolean": "true or false", "null": "null", "object": "{...}"}


def names_in(schema: Any) -> Iterator[str]:
    """The named schemas that a schema refers to, through each other too."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            name = written(schema)
            yield name
            yield from names_in(schemas.SCHEMAS[name])
        for part in schema.values():
            yield from names_in(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from names_in(part)
