"""docker, containerd and podman as they push and pull: their sequences of requests, replayed."""

from __future__ import annotations

import pytest

from tests.http import scripts
from tests.http.daemons import (
    BLOBS,
    CONTAINERD_PULL,
    CONTAINERD_PUSH,
    CONTAINERD_PUSH_AGAIN,
    DECODES,
    DOCKER_CONFIG,
    DOCKER_PULL,
    DOCKER_PUSH,
    manifest_of,
)
from tests.http.oci_client import DOCKER, INDEX, MANIFEST, Repository, descriptor, digest
from tests.http.scripts import Player, Step

SIGNATURE, SBOM = "application/vnd.example.signature", "application/spdx+json"


def test_docker_pushes_and_pulls(player: Player, repository: Repository) -> None:
    """docker with its own image store: login, mount, an upload after a mount that failed, config, manifest by tag."""
    player.play(DOCKER_PUSH)
    player.play(DOCKER_PULL)
    package = repository.http.get(f"/api/v1/packages/{repository.name}:v1").json()
    assert (package["media_type"], package["kind"]) == (DOCKER, DOCKER_CONFIG)
    assert (package["digests"]["sha256"], package["tags"]) == (digest(player.contents["docker"]), ["v1"])
    files = repository.http.get(f"/api/v1/packages/{repository.name}:v1/files").json()["files"]
    found = [(file["digests"]["sha256"], file["size"], file["present"]) for file in files]
    assert found == [(digest(BLOBS[name]), len(BLOBS[name]), True) for name in ("base", "layer")]


@pytest.mark.parametrize("query", ["", "ns=docker.io"])
def test_containerd_pushes_and_pulls(player: Player, repository: Repository, query: str) -> None:
    """containerd, and docker on its image store; a mirror hears `ns` with every request. Parallel pulls use ranges."""
    player.query = query
    player.play(CONTAINERD_PUSH)
    player.play(CONTAINERD_PUSH_AGAIN)
    player.play(CONTAINERD_PULL)
    events = repository.http.get("/api/v1/events", params={"repository": repository.name, "n": 1000}).json()["events"]
    stored = ["v1.manifest.stored", "v1.package.finalized", "v1.tag.moved"]
    assert [event["type"] for event in events] == ["v1.blob.linked"] * 3 + stored


def test_containerd_asks_for_referrers_of_several_types(player: Player, repository: Repository) -> None:
    """Every type that was asked for is answered, whichever comes first: what is missing counts as not there."""
    subject = descriptor(player.contents["oci"], MANIFEST)
    attached = {
        name: manifest_of(
            (b"{}", kind), media_type=MANIFEST, artifactType=kind, subject=subject, annotations={"a": name}
        )
        for name, kind in (("signature", SIGNATURE), ("other", "application/vnd.example.other"), ("sbom", SBOM))
    }
    for body in attached.values():
        repository.push(digest(body), body)
    player.contents = {**player.contents, **attached}
    both, sbom = ((SIGNATURE, "signature"), (SBOM, "sbom")), ((SBOM, "sbom"),)
    player.play(
        (
            Step(
                f"GET $repo/referrers/$oci artifactType={SBOM}&artifactType={SIGNATURE}&ns=docker.io",
                200,
                headers=[DECODES, ("accept", f"{INDEX}, */*")],
                reads=scripts.referrers(*both),
            ),
            Step(f"GET $repo/referrers/$oci artifactType={SBOM}", 200, reads=scripts.referrers(*sbom)),
            Step("GET $repo/referrers/$oci", 200, reads=scripts.referrers(*both)),
        )
    )


def test_podman_pulls_the_chunks_that_it_lacks(player: Player) -> None:
    """A layer in zstd:chunked: its footer, its table of contents, then many ranges of it in one request."""
    player.play(CONTAINERD_PUSH)
    spans = [(start, start + 99) for start in range(0, 200_000, 400)]
    asked = ",".join(f"{first}-{last}" for first, last in spans)
    footer = Step(
        "GET $repo/blobs/$layer", 206, headers=[("range", "bytes=199936-")], reads=scripts.rest_of("layer", 199_936)
    )
    chunks = Step(
        "GET $repo/blobs/$layer", 206, headers=[("range", f"bytes={asked}")], reads=scripts.parts_of("layer", *spans)
    )
    player.play((footer, chunks))
