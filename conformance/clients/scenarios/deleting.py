"""What deletions leave."""

from __future__ import annotations

from conformance.clients import native, samples
from conformance.clients.client import Client
from conformance.clients.scene import Scene, expect_equal


def delete_by_tag(client: Client, scene: Scene) -> None:
    """A deleted tag is gone; what it named stays, unless this client deletes that as well, with every tag on it."""
    digest = _tagged_twice(scene)
    before = native.head(scene)
    took = client.delete_tag(scene, "one")
    manifest = scene.registry.ask("HEAD", f"/v2/{scene.repository}/manifests/{digest}")
    if took == "tag":
        expect_equal(manifest.status, 200, "the manifest after its tag was deleted")
        expect_equal(_tags(scene), ["two"], "the tags that stay")
        expect_equal(native.event_kinds(scene, before), ["v1.tag.deleted"], "the events")
    else:
        _expect_deleted(scene, digest, before)


def delete_by_digest(client: Client, scene: Scene) -> None:
    """A deleted manifest is gone, its package and every tag on it too, by one event."""
    digest = _tagged_twice(scene)
    before = native.head(scene)
    client.delete_digest(scene, digest)
    _expect_deleted(scene, digest, before)


def _tagged_twice(scene: Scene) -> str:
    digest = samples.artifact_in(scene, "one")
    samples.artifact_in(scene, "two")
    return digest


def _expect_deleted(scene: Scene, digest: str, before: int) -> None:
    for path in (f"/v2/{scene.repository}/manifests/{digest}", native.package_path(scene, digest)):
        expect_equal(scene.registry.ask("GET", path).status, 404, f"the status of {path}")
    expect_equal(_tags(scene), [], "the tags that stay")
    expect_equal(native.event_kinds(scene, before), ["v1.manifest.deleted"], "the events")
    expect_equal(native.payloads(scene, "v1.manifest.deleted")[-1]["digest"], digest, "the digest in the log")


def _tags(scene: Scene) -> list[str]:
    return list(scene.registry.get(f"/v2/{scene.repository}/tags/list")["tags"])
