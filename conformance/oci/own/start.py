"""The groups of few checks: is this a registry, what is new in it is empty, and what is not there or no name at all."""

from __future__ import annotations

from conformance.oci.own import expect
from conformance.oci.own.check import Group
from conformance.oci.own.registry import MANIFEST, Registry

PING = Group("ping")
EMPTY = Group("empty")
MISSING = Group("missing manifest")
INVALID = Group("invalid digest format")


@PING.check
def version(registry: Registry) -> None:
    """`GET /v2/` is 200 (end-1)."""
    expect.status(registry.ask("GET", "/v2/"), 200)


@EMPTY.check
def tag_list(registry: Registry) -> None:
    """A repository that nothing was pushed to has a tag list in JSON, or none: 404 (end-8a)."""
    reply = expect.status(registry.repository("never").get("tags/list"), 200, 404)
    reply.json()


@EMPTY.check
def referrers(registry: Registry) -> None:
    """There too, the referrers of any digest are an image index, and its list is empty (end-12a)."""
    repository = registry.repository("never")
    reply = repository.get(f"referrers/{registry.blob('never', 10).digest}")
    expect.same(expect.index(reply), [], reply)


def unknown(registry: Registry, reference: str) -> None:
    """GET and HEAD of a manifest that is not there are 404 (end-3)."""
    repository = registry.repository("missing")
    text = registry.blob("missing manifest", 10).digest if reference == "digest" else "missing"
    expect.status(repository.get(f"manifests/{text}"), 404)
    expect.status(repository.head(f"manifests/{text}"), 404)


for _reference in ("digest", "tag"):
    MISSING.add(f"by {_reference}", unknown, _reference)


@INVALID.check
def push(registry: Registry) -> None:
    """A manifest PUT under what is no digest is 400 (end-7a)."""
    reply = registry.repository("invalid").put_manifest("sha256:baddigeststring", b'{"schemaVersion":2}', MANIFEST)
    expect.status(reply, 400)


@INVALID.check
def pull(registry: Registry) -> None:
    """A GET of it is 404 or 400 (end-3)."""
    expect.status(registry.repository("invalid").get("manifests/sha256:baddigeststring"), 400, 404)
