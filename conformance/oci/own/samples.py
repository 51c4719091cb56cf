"""Small things that checks push: an image in one call, and its parts."""

from __future__ import annotations

import json
from typing import Any

from conformance.oci.own import expect, uploads
from conformance.oci.own.registry import EMPTY, INDEX, MANIFEST, Blob, Registry, Repository

EMPTY_OBJECT = Blob(b"{}")


def descriptor(blob: Blob, media_type: str = "application/x.own.layer", **more: Any) -> dict[str, Any]:
    """A descriptor of a blob, or of the bytes of a manifest."""
    return {"mediaType": media_type, "digest": blob.digest, "size": len(blob.data), **more}


def image(**fields: Any) -> bytes:
    """An image manifest of `{}` alone, with these fields; one that is None is left out."""
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(EMPTY_OBJECT, EMPTY), "layers": []}
    return encoded(value | fields)


def index(*members: bytes, **fields: Any) -> bytes:
    """An image index of image manifests."""
    listed = [descriptor(Blob(member), MANIFEST) for member in members]
    return encoded({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed} | fields)


def encoded(value: dict[str, Any]) -> bytes:
    """JSON, without the fields that are None."""
    return json.dumps({name: field for name, field in value.items() if field is not None}).encode()


def unlike(registry: Registry, label: str) -> dict[str, str]:
    """Annotations that make a manifest unlike that of any other check."""
    return {"own.check": f"{registry.run} {label}"}


def stocked(registry: Registry, label: str) -> Repository:
    """A repository that holds `{}`, so that `image()` can be pushed."""
    repository = registry.repository(label)
    uploads.bring(repository, EMPTY_OBJECT)
    return repository


def put(repository: Repository, reference: str, body: bytes, media_type: str | None = MANIFEST) -> str:
    """Push a manifest that must be taken; its digest."""
    expect.status(repository.put_manifest(reference, body, media_type), 201)
    return Blob(body).digest
