"""The requests of docker, containerd, BuildKit and podman, as scripts: no daemon can run where these tests do.

The sequences are those of the sources: `daemon/internal/distribution` of moby/moby with `internal/client` of
distribution/distribution, `core/remotes/docker` of containerd/containerd, `util/push` and `cache/remotecache` of
moby/buildkit, `docker` of containers/image.
"""

from __future__ import annotations

import json
import os
from typing import Any

from tests.http import scripts
from tests.http.oci_client import DOCKER, DOCKER_LIST, INDEX, MANIFEST, descriptor
from tests.http.scripts import Script, Step

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
IN_TOTO = "application/vnd.in-toto+json"
CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
MANIFEST_TYPES = (DOCKER, DOCKER_LIST, MANIFEST, INDEX)
OCTETS = ("content-type", "application/octet-stream")
DECODES = ("accept-encoding", "zstd;q=1.0, gzip;q=0.8, deflate;q=0.5")
"""containerd decodes what comes with a Content-Encoding: the player refuses an answer that has one."""

BLOBS = {"base": os.urandom(3000), "layer": os.urandom(200_000), "config": b'{"os":"linux","architecture":"amd64"}'}
LOGIN = (Step("GET /v2/", 200, reads=scripts.a_registry),)


def manifest_of(config: tuple[bytes, str], *layers: tuple[bytes, str], media_type: str, **more: Any) -> bytes:
    """A manifest as these programs write it: indented by three spaces."""
    named = {"config": descriptor(*config), "layers": [descriptor(*layer) for layer in layers]}
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, **named, **more}, indent=3).encode()


def index_of(*members: dict[str, Any], media_type: str = INDEX) -> bytes:
    """An index of finished descriptors."""
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": members}, indent=2).encode()


def platform(manifest: bytes, architecture: str, system: str = "linux", **more: Any) -> dict[str, Any]:
    """A member of an index, with the platform that it is for."""
    return descriptor(manifest, MANIFEST, platform={"architecture": architecture, "os": system}, **more)


def _images() -> dict[str, bytes]:
    config, base, layer = (BLOBS[name] for name in ("config", "base", "layer"))
    of_docker = manifest_of((config, DOCKER_CONFIG), (base, DOCKER_LAYER), (layer, DOCKER_LAYER), media_type=DOCKER)
    of_oci = manifest_of((config, OCI_CONFIG), (base, OCI_LAYER), (layer, OCI_LAYER), media_type=MANIFEST)
    return {**BLOBS, "docker": of_docker, "oci": of_oci}


IMAGES = _images()
"""The same image in docker's and in OCI's types, with its blobs."""


def docker_brings(blob: str, upload: str = "POST $repo/blobs/uploads/") -> Script:
    """An upload whose PATCH has no length, closed without a body, and looked at."""
    return (
        Step(upload, 202, reads=scripts.session),
        Step("PATCH $location", 202, blob, chunked=True, headers=[OCTETS], reads=scripts.took_all),
        Step(f"PUT $location digest=${blob}", 201),
        Step(f"HEAD $repo/blobs/${blob}", 200, reads=scripts.size_of(blob)),
    )


DOCKER_PUSH = (
    *LOGIN,
    Step("HEAD $repo/blobs/$base", 404),
    Step("POST $repo/blobs/uploads/ from=$other&mount=$base", 201),
    Step("HEAD $repo/blobs/$base", 200, reads=scripts.size_of("base")),
    *docker_brings("layer", "POST $repo/blobs/uploads/ from=$other&mount=$layer"),
    Step("HEAD $repo/blobs/$config", 404),
    *docker_brings("config"),
    Step(
        "PUT $repo/manifests/v1", 201, "docker", headers=[("content-type", DOCKER)], reads=scripts.committed("docker")
    ),
)
DOCKER_PULL = (
    *LOGIN,
    Step(
        "GET $repo/manifests/v1",
        200,
        headers=[("accept", kind) for kind in MANIFEST_TYPES],
        reads=scripts.bytes_of("docker"),
    ),
    Step("GET $repo/blobs/$config", 200, headers=[DECODES], reads=scripts.bytes_of("config")),
    Step("GET $repo/blobs/$layer", 200, headers=[DECODES], reads=scripts.bytes_of("layer")),
    Step(
        "GET $repo/blobs/$layer", 206, headers=[DECODES, ("range", "bytes=777-")], reads=scripts.rest_of("layer", 777)
    ),
)


def containerd_brings(blob: str, media_type: str, upload: str = "") -> Script:
    """A blob that is not there, in one PUT of known length; the query of the PUT is percent-encoded."""
    accept = ("accept", f"{media_type}, */*")
    return (
        Step(f"HEAD $repo/blobs/${blob}", 404, headers=[accept]),
        Step(f"POST $repo/blobs/uploads/ {upload}".rstrip(), 202),
        Step(f"PUT $location digest=${blob}", 201, blob, headers=[OCTETS], reads=scripts.committed(blob)),
    )


def containerd_names(reference: str, manifest: str, media_type: str, found: int = 404) -> Script:
    """A manifest by tag or digest, after a look whether it is there."""
    at, typed = f"$repo/manifests/{reference}", [("content-type", media_type)]
    return (
        Step(f"HEAD {at}", found, headers=[("accept", f"{media_type}, */*")]),
        Step(f"PUT {at}", 201, manifest, headers=typed, reads=scripts.committed(manifest)),
    )


CONTAINERD_PUSH = (
    Step("HEAD $repo/blobs/$base", 404, headers=[("accept", f"{OCI_LAYER}, */*")]),
    Step("POST $repo/blobs/uploads/ mount=$base&from=$other", 201),
    *containerd_brings("layer", OCI_LAYER, "mount=$layer&from=$other"),
    *containerd_brings("config", OCI_CONFIG),
    *containerd_names("v1", "oci", MANIFEST),
)
CONTAINERD_PUSH_AGAIN = (
    *(Step(f"HEAD $repo/blobs/${blob}", 200) for blob in BLOBS),
    Step("HEAD $repo/manifests/v1", 200, reads=scripts.committed("oci")),
)
CONTAINERD_PULL = (
    Step("HEAD $repo/manifests/v1", 200, headers=[("accept", "*/*")], reads=scripts.resolved("oci", MANIFEST)),
    Step(
        "GET $repo/manifests/$oci",
        200,
        headers=[DECODES, ("accept", f"{MANIFEST}, */*")],
        reads=scripts.bytes_of("oci"),
    ),
    *(Step(f"GET $repo/blobs/${blob}", 200, headers=[DECODES], reads=scripts.bytes_of(blob)) for blob in BLOBS),
    *(
        Step(
            "GET $repo/blobs/$layer",
            206,
            headers=[DECODES, ("range", f"bytes={start}-")],
            reads=scripts.rest_of("layer", start),
        )
        for start in (0, 65_536, 131_072, 199_999)
    ),
    Step("HEAD $repo/blobs/$oci", 404),
    Step("HEAD $repo/manifests/$oci", 200, reads=scripts.size_of("oci")),
)
