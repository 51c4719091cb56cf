"""The JSON Schemas (draft 2020-12) of what the native API answers; every property named is always there.

`registry.rendering` makes these values; tests compare each answer with its schema.
"""

from __future__ import annotations

from typing import Any

from artifactstore.api.http.errors import TABLE
from artifactstore.identity.digest import HEX_LENGTH
from artifactstore.identity.names import NAME_LENGTH_MAX, REPOSITORY_PATTERN, TAG_PATTERN

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC, six decimals"}
DIGEST: Schema = {"type": "string", "pattern": "^[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"}
ADDRESS: Schema = {"type": "string", "pattern": "^blake3:[0-9a-f]{64}$"}
ROLE: Schema = {"enum": ["package", "signature", "attestation", "sbom"]}
_DIGESTS = "|".join(f"{algorithm}:[0-9a-f]{{{length}}}" for algorithm, length in HEX_LENGTH.items())
REPOSITORY_NAME: Schema = {
    "type": "string",
    "maxLength": NAME_LENGTH_MAX,
    "pattern": f"^{REPOSITORY_PATTERN}$",
    "examples": ["acme/reports"],
}
TAG_NAME: Schema = {"type": "string", "pattern": f"^{TAG_PATTERN}$", "examples": ["v1"]}
KNOWN_DIGEST: Schema = {"type": "string", "pattern": f"^({_DIGESTS})$"}
REFERENCE: Schema = {"type": "string", "pattern": f"^({TAG_PATTERN}|{_DIGESTS})$", "examples": ["v1"]}
PACKAGE_NAME: Schema = {
    "type": "string",
    "pattern": f"^{REPOSITORY_PATTERN}(:{TAG_PATTERN}|@({_DIGESTS}))$",
    "examples": ["acme/reports:v1"],
}
BYTES: Schema = {}
"""A body that is no JSON."""

OBJECT: Schema = {"type": "object"}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}
DIGESTS: Schema = {
    "type": "object",
    "propertyNames": {"enum": ["blake3", "sha256", "sha512"]},
    "additionalProperties": DIGEST,
    "description": "algorithm -> digest, as far as they are known",
}


def record(**properties: Schema) -> Schema:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def optional(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def several(schema: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": schema}


def named(name: str) -> Schema:
    """A schema of the document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


NEXT = optional({"type": "string", "format": "uri-reference", "description": "address of the next page"})

REPOSITORY = record(name=TEXT, tenant=TEXT, created_at=TIME, created_sequence=COUNT)

HOLDINGS = record(
    name=TEXT,
    tenant=TEXT,
    created_at=TIME,
    created_sequence=COUNT,
    packages=COUNT,
    tags=COUNT,
    blobs=COUNT,
    size={**COUNT, "description": "bytes of its manifests and blobs"},
)

RETENTION = record(**{"class": TEXT}, since=TIME, expires_at=optional(TIME), state=TEXT)

PACKAGE = record(
    repository=TEXT,
    digest=DIGEST,
    digests=DIGESTS,
    content_address=ADDRESS,
    kind=TEXT,
    artifact_type=optional(TEXT),
    media_type=TEXT,
    role=ROLE,
    size=COUNT,
    tags=several(TEXT),
    tags_truncated=FLAG,
    manifest_digest=ADDRESS,
    metadata=OBJECT,
    origin=TEXT,
    created=optional(TEXT),
    pushed_at=TIME,
    pushed_by=TEXT,
    sequence=COUNT,
    file_count=COUNT,
    files_size=COUNT,
    retention=optional(named("Retention")),
)

FILE = record(
    position=COUNT,
    path=optional(TEXT),
    media_type=TEXT,
    size=COUNT,
    digests={**DIGESTS, "propertyNames": TEXT},
    content_address=optional(ADDRESS),
    present=FLAG,
    metadata=OBJECT,
)

REFERRER = record(
    digest=DIGEST,
    media_type=TEXT,
    artifact_type=optional(TEXT),
    role=ROLE,
    via={"enum": ["subject", "tag", "fallback-tag"]},
    tag=optional(TEXT),
    annotations=TEXTS,
    size=COUNT,
    sequence=COUNT,
)

_EVENT = record(
    sequence={"type": "integer", "minimum": 1},
    type=TEXT,
    time=TIME,
    time_us=COUNT,
    actor=TEXT,
    tenant=TEXT,
    stream=TEXT,
    payload_sha256=DIGEST,
    payload_size=COUNT,
    leaf_hash={"type": "string", "pattern": "^[0-9a-f]{64}$"},
)
EVENT: Schema = {**_EVENT, "properties": {**_EVENT["properties"], "payload": OBJECT}}
"""`payload` is there when it was asked for."""

PROBLEM: Schema = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "code": {**TEXT, "description": "stable; docs/errors.md lists them"},
        "errors": OBJECT,
    },
    "required": ["type", "title", "status", "detail", "code"],
    "additionalProperties": False,
}
"""RFC 9457."""

OCI_ERRORS: Schema = record(
    errors={
        "type": "array",
        "minItems": 1,
        "items": record(code={"enum": sorted({row.oci_code for row in TABLE.values()})}, message=TEXT, detail=OBJECT),
    }
)
"""The distribution specification's errors, with the codes of its list that are used here."""

SCHEMAS: dict[str, Schema] = {
    "Repository": REPOSITORY,
    "Holdings": HOLDINGS,
    "Repositories": record(
        repositories=several({"anyOf": [named("Repository"), named("Holdings")]}),
        next=NEXT,
    ),
    "DeletedRepository": record(name=TEXT, packages=COUNT, tags=COUNT, blobs=COUNT),
    "Package": PACKAGE,
    "Packages": record(packages=several(named("Package")), next=NEXT),
    "Retention": RETENTION,
    "File": FILE,
    "Files": record(files=several(named("File")), next=NEXT),
    "Referrer": REFERRER,
    "Referrers": record(referrers=several(named("Referrer")), next=NEXT),
    "Deletion": record(
        repository=TEXT,
        digest=DIGEST,
        tags={**several(TEXT), "description": "the first hundred that go with it"},
        tag_count=COUNT,
        members={**several(DIGEST), "description": "packages that it lists; they stay"},
        size={**COUNT, "description": "bytes that no other package of the repository names"},
    ),
    "Event": EVENT,
    "Events": record(log_id=TEXT, head=COUNT, scanned=COUNT, next=NEXT, events=several(named("Event"))),
    "Live": record(status={"const": "live"}),
    "Health": record(
        status={"enum": ["ready", "unavailable"]},
        read_only=FLAG,
        checks={"type": "object", "additionalProperties": record(ok=FLAG, message=TEXT)},
    ),
    "Problem": PROBLEM,
    "OciErrors": OCI_ERRORS,
}
"""The schemas of the OpenAPI document, by name."""
