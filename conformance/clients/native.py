"""What the registry's native side says of what a client did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from conformance.clients.evidence import FileFacts, tree_differences
from conformance.clients.scene import Scene, expect, expect_equal

MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in ("oci.image.manifest.v1", "oci.image.index.v1", "docker.distribution.manifest.v2")
)


def manifest_bytes(scene: Scene, reference: str) -> bytes:
    """A manifest as the registry serves it, with the digest that these bytes have."""
    answer = scene.registry.must(200, "GET", f"/v2/{scene.repository}/manifests/{reference}", Accept=MANIFESTS)
    digest = FileFacts.of(answer.body).sha256
    expect_equal(answer.headers.get("docker-content-digest"), digest, f"the digest of {reference}")
    return answer.body


def manifest(scene: Scene, reference: str) -> tuple[str, dict[str, Any]]:
    """The digest and the value of a manifest."""
    body = manifest_bytes(scene, reference)
    value: dict[str, Any] = json.loads(body)
    return FileFacts.of(body).sha256, value


def package_path(scene: Scene, reference: str) -> str:
    """Where the native API has a package, by tag or digest."""
    return f"/api/v1/packages/{scene.repository}{'@' if ':' in reference else ':'}{reference}"


def files(scene: Scene, reference: str) -> list[dict[str, Any]]:
    """The files of a package, all of them there."""
    found = scene.registry.pages(f"{package_path(scene, reference)}/files", "files")
    expect(all(file["present"] for file in found), f"a file of {reference} is listed as absent")
    return found


def named_files(scene: Scene, reference: str) -> dict[str, FileFacts]:
    """The files of a package by their paths."""
    listed = files(scene, reference)
    found = {row["path"]: FileFacts(row["size"], row["digests"]["blake3"], row["digests"]["sha256"]) for row in listed}
    expect_equal(len(found), len(listed), "the number of different paths")
    return found


def referrers(scene: Scene, subject: str) -> list[dict[str, Any]]:
    """What refers to a package."""
    return scene.registry.pages(f"{package_path(scene, subject)}/referrers", "referrers")


def events(scene: Scene) -> list[dict[str, Any]]:
    """The log of a repository, in order, with payloads."""
    return scene.registry.pages(f"/api/v1/events?repository={scene.repository}&n=400", "events")


def event_kinds(scene: Scene, after: int = 0) -> list[str]:
    """The types of a repository's events after a sequence."""
    return [event["type"] for event in events(scene) if event["sequence"] > after]


def payloads(scene: Scene, kind: str) -> list[dict[str, Any]]:
    """The payloads of a repository's events of one type."""
    return [event["payload"] for event in events(scene) if event["type"] == kind]


def head(scene: Scene) -> int:
    """The sequence of the repository's last event."""
    return max((event["sequence"] for event in events(scene)), default=0)


def expect_package(scene: Scene, tag: str, kind: str) -> str:
    """A pushed manifest is a package of this kind with this tag, its files are its layers; returns its digest."""
    digest, value = manifest(scene, tag)
    package = scene.registry.get(package_path(scene, tag))
    expect_equal((package["digest"], package["kind"]), (digest, kind), "digest and kind of the package")
    expect(tag in package["tags"], f"the package's tags are {package['tags']}")
    expect(package["manifest_digest"].startswith("blake3:"), f"no native manifest digest in {package}")
    listed = [(file["digests"]["sha256"], file["size"]) for file in files(scene, tag)]
    expect_equal(listed, [(layer["digest"], layer["size"]) for layer in value["layers"]], "the package's files")
    expect_recorded(scene, tag, digest, [value["config"], *value["layers"]])
    return digest


def expect_recorded(scene: Scene, tag: str, digest: str, blobs: Sequence[dict[str, Any]]) -> None:
    """The log has the blobs before the manifest, the package right after it, and then the tag."""
    recorded = events(scene)
    sequences = [event["sequence"] for event in recorded]
    expect_equal(sequences, sorted(set(sequences)), "the sequences of the events")
    stored = next(
        (
            place
            for place, event in enumerate(recorded)
            if event["type"] == "v1.manifest.stored" and event["payload"]["digest"] == digest
        ),
        None,
    )
    if stored is None:
        expect(False, f"no v1.manifest.stored of {digest} in {[event['type'] for event in recorded]}")
        return
    linked = {event["payload"]["digest"] for event in recorded[:stored] if event["type"] == "v1.blob.linked"}
    missing = {blob["digest"] for blob in blobs} - linked
    expect(not missing, f"stored before these blobs were linked: {missing}")
    expect_equal(recorded[stored + 1]["type"], "v1.package.finalized", "the event after v1.manifest.stored")
    moves = [event["payload"] for event in recorded[stored + 2 :] if event["type"] == "v1.tag.moved"]
    expect((tag, digest) in {(move["tag"], move["digest"]) for move in moves}, f"no v1.tag.moved of {tag}: {moves}")


def expect_attached(scene: Scene, subject: str, role: str, via: str) -> dict[str, Any]:
    """Exactly one thing of this role is attached to a package, in this way; returns it."""
    found = [row for row in referrers(scene, subject) if row["role"] == role]
    expect_equal([row["via"] for row in found], [via], f"how each {role} is tied to {subject}")
    return found[0]


def expect_tree(scene: Scene, tag: str, expected: dict[str, FileFacts]) -> None:
    """The package's files are these, by path, size and both digests."""
    differences = tree_differences(expected, named_files(scene, tag))
    expect(not differences, "the listed files differ: " + "; ".join(differences[:10]))
