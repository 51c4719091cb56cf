"""BuildKit and docker's tools for many platforms as they push: their sequences of requests, replayed."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.http import scripts
from tests.http.daemons import (
    BLOBS,
    CACHE_CONFIG,
    CONTAINERD_PULL,
    CONTAINERD_PUSH,
    DECODES,
    IN_TOTO,
    LOGIN,
    OCI_CONFIG,
    OCI_LAYER,
    containerd_brings,
    containerd_names,
    index_of,
    manifest_of,
    platform,
)
from tests.http.oci_client import DOCKER, DOCKER_LIST, INDEX, MANIFEST, Repository, descriptor, digest
from tests.http.scripts import Player, Step
from tests.http.servers import Server


def buildkit_contents() -> dict[str, bytes]:
    """An image for two platforms, with an attestation for each that stands in the index as `unknown/unknown`."""
    contents = {"base": BLOBS["base"]}
    members = []
    for architecture in ("amd64", "arm64"):
        config = json.dumps({"os": "linux", "architecture": architecture}).encode()
        layer, statement = os.urandom(100_000), json.dumps({"subject": architecture}).encode()
        image = manifest_of(
            (config, OCI_CONFIG), (contents["base"], OCI_LAYER), (layer, OCI_LAYER), media_type=MANIFEST
        )
        provenance = manifest_of((config + b" ", OCI_CONFIG), (statement, IN_TOTO), media_type=MANIFEST)
        contents |= {f"config_{architecture}": config, f"layer_{architecture}": layer, f"image_{architecture}": image}
        contents |= {f"attested_{architecture}": config + b" ", f"statement_{architecture}": statement}
        contents[f"provenance_{architecture}"] = provenance
        about = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest(image)}
        members.append(platform(image, architecture))
        members.append(platform(provenance, "unknown", "unknown", annotations=about))
    return contents | {"index": index_of(*members)}


def test_buildkit_pushes_an_image_with_attestations(
    server: Server, player: Player, repository: Repository, other: Repository
) -> None:
    """Four blobs at a time, manifests from the last to the first by digest, the index by tag; lists show the index."""
    contents = player.contents = buildkit_contents()
    blobs = [name for name in contents if not name.startswith(("image_", "provenance_", "index"))]

    def bring(name: str) -> None:
        with httpx.Client(base_url=server.url) as http:
            Player(http, repository.name, other.name, contents).play(containerd_brings(name, OCI_LAYER))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(bring, blobs))
    for name in ("provenance_arm64", "image_arm64", "provenance_amd64", "image_amd64"):
        player.play(containerd_names(f"${name}", name, MANIFEST))
    player.play(containerd_names("v1", "index", INDEX))
    player.play((Step("HEAD $repo/manifests/v1", 200, reads=scripts.resolved("index", INDEX)),))

    listed = repository.http.get("/api/v1/packages", params={"repository": repository.name}).json()["packages"]
    assert [package["digest"] for package in listed] == [digest(contents["index"])]
    every = {"repository": repository.name, "members": "true", "attachments": "true"}
    roles = {
        package["digest"]: package["role"]
        for package in repository.http.get("/api/v1/packages", params=every).json()["packages"]
    }
    assert roles == {
        digest(contents[name]): "attestation" if name.startswith("provenance") else "package"
        for name in contents.keys() - set(blobs)
    }


@pytest.mark.parametrize("kind", [MANIFEST, INDEX, DOCKER_LIST])
def test_buildkit_keeps_its_cache(player: Player, repository: Repository, kind: str) -> None:
    """Export, import, and the export of the next build: as an image, or as an index whose members are layers."""
    typed = [descriptor(BLOBS[name], OCI_LAYER) for name in ("base", "layer")]

    def cache(records: bytes) -> bytes:
        if kind == MANIFEST:
            layers = ((BLOBS[name], OCI_LAYER) for name in ("base", "layer"))
            return manifest_of((records, CACHE_CONFIG), *layers, media_type=kind)
        return index_of(*typed, descriptor(records, CACHE_CONFIG), media_type=kind)

    first, second = b'{"layers":[],"records":[1]}', b'{"layers":[],"records":[1,2]}'
    caches = {"first": cache(first), "second": cache(second)}
    player.contents = {**BLOBS, "records_1": first, "records_2": second, **caches}
    player.play((*containerd_brings("base", OCI_LAYER), *containerd_brings("layer", OCI_LAYER)))
    player.play((*containerd_brings("records_1", CACHE_CONFIG), *containerd_names("cache", "first", kind)))
    player.play(
        (
            Step("HEAD $repo/manifests/cache", 200, reads=scripts.resolved("first", kind)),
            Step("GET $repo/manifests/$first", 200, headers=[DECODES], reads=scripts.bytes_of("first")),
            Step("GET $repo/blobs/$records_1", 200, headers=[DECODES], reads=scripts.bytes_of("records_1")),
            Step("GET $repo/blobs/$layer", 200, headers=[DECODES], reads=scripts.bytes_of("layer")),
            Step("HEAD $repo/blobs/$layer", 200),
        )
    )
    player.play((*containerd_brings("records_2", CACHE_CONFIG), *containerd_names("cache", "second", kind, found=200)))
    history = repository.get("_oci/tag-history/cache").json()["manifests"]
    assert [change["digest"] for change in history] == [digest(caches["second"]), digest(caches["first"])]
    package = repository.http.get(f"/api/v1/packages/{repository.name}:cache").json()
    assert package["kind"] == (CACHE_CONFIG if kind == MANIFEST else kind)


def test_imagetools_makes_an_index_of_what_is_there(player: Player, repository: Repository) -> None:
    """`docker buildx imagetools create` reads manifests by tag and digest, and pushes an index that names them."""
    player.play(CONTAINERD_PUSH)
    made = index_of(platform(player.contents["oci"], "amd64"))
    player.contents = {**player.contents, "made": made}
    read = Step("GET $repo/manifests/$oci", 200, headers=[DECODES], reads=scripts.bytes_of("oci"))
    player.play((*CONTAINERD_PULL[:1], read, *containerd_names("multi", "made", INDEX)))
    package = repository.http.get(f"/api/v1/packages/{repository.name}:multi").json()
    assert (package["digest"], package["kind"]) == (digest(made), INDEX)


def test_docker_manifest_makes_a_list_across_repositories(
    player: Player, repository: Repository, other: Repository
) -> None:
    """`docker manifest push` mounts every blob of an image elsewhere, puts it by digest, then the list by tag."""
    for name in ("layer", "config"):
        other.push_blob(BLOBS[name])
    made = index_of(
        descriptor(player.contents["docker"], DOCKER, platform={"architecture": "arm", "os": "linux", "variant": "v7"}),
        media_type=DOCKER_LIST,
    )
    player.contents = {**player.contents, "made": made}
    typed = {"docker": [("content-type", DOCKER)], "made": [("content-type", DOCKER_LIST)]}
    player.play(
        (
            *LOGIN,
            *(Step(f"POST $repo/blobs/uploads/ from=$other&mount=${blob}", 201) for blob in BLOBS),
            Step("PUT $repo/manifests/$docker", 201, "docker", headers=typed["docker"]),
            Step("PUT $repo/manifests/multi", 201, "made", headers=typed["made"], reads=scripts.committed("made")),
            Step("HEAD $repo/manifests/multi", 200, reads=scripts.resolved("made", DOCKER_LIST)),
            Step("GET $repo/manifests/multi", 200, reads=scripts.bytes_of("made")),
            Step("GET $repo/manifests/$docker", 200, reads=scripts.bytes_of("docker")),
        )
    )
    listed = repository.http.get("/api/v1/packages", params={"repository": repository.name}).json()["packages"]
    assert [(package["digest"], package["media_type"]) for package in listed] == [(digest(made), DOCKER_LIST)]
