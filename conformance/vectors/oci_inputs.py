"""What the vectors of OCI manifests and native packages are made of."""

from __future__ import annotations

import json
from typing import Any

from artifactstore.identity.digest import digest_bytes
from artifactstore.manifest.media_types import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

TITLE = "org.opencontainers.image.title"
CREATED = "org.opencontainers.image.created"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def descriptor(media_type: str, content: str, algorithm: str = "sha256", **more: Any) -> dict[str, Any]:
    """A descriptor of `content`."""
    data = content.encode()
    return {"mediaType": media_type, "digest": str(digest_bytes(algorithm, data)), "size": len(data), **more}


def manifest(**fields: Any) -> str:
    """A manifest of schema 2 as compact JSON."""
    return json.dumps({"schemaVersion": 2, **fields}, ensure_ascii=False, separators=(",", ":"))


HELLO = descriptor("text/plain", "hello\n", annotations={TITLE: "hello.txt", "com.example.mode": "0644"})
EMPTY = descriptor(EMPTY_TYPE, "{}")
SUBJECT = descriptor(OCI_MANIFEST, "a manifest pushed before")

PUSHED: tuple[tuple[str, str, str | None, tuple[str, ...]], ...] = (
    (
        "files as oras pushes them",
        manifest(
            mediaType=OCI_MANIFEST,
            artifactType="application/vnd.example.report.v1",
            config=EMPTY,
            layers=[
                descriptor("text/plain", "second\n", annotations={TITLE: "sub/b.txt"}),
                HELLO,
                descriptor("text/plain", "hello\n", annotations={TITLE: "copy of hello.txt"}),
            ],
            annotations={CREATED: "2025-10-11T12:00:00Z", "artifactstore.retention.class": "release"},
        ),
        OCI_MANIFEST,
        ("hello\n", "second\n", "{}"),
    ),
    (
        "layers named by three algorithms, without titles",
        manifest(
            mediaType=OCI_MANIFEST,
            config=descriptor(IMAGE_CONFIG, "{}", "sha512"),
            layers=[descriptor("a/b", "hello\n", name) for name in ("sha512", "blake3", "sha256")],
        ),
        OCI_MANIFEST,
        ("hello\n", "{}"),
    ),
    (
        "a layer that is not there, and one of an algorithm nobody knows",
        manifest(
            mediaType=OCI_MANIFEST,
            config=EMPTY,
            layers=[
                descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "far away"),
                {"mediaType": "a/b", "digest": "md5+b64:XrY7u-Ae7tCTyyK7j1rNww", "size": 11},
            ],
        ),
        OCI_MANIFEST,
        ("{}",),
    ),
    (
        "a signature with its subject",
        manifest(
            mediaType=OCI_MANIFEST,
            artifactType=BUNDLE,
            config=EMPTY,
            layers=[descriptor(BUNDLE, "a bundle")],
            subject=SUBJECT,
            annotations={"dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"},
        ),
        OCI_MANIFEST,
        ("a bundle", "{}"),
    ),
    (
        "an index of two members",
        manifest(
            mediaType=OCI_INDEX,
            manifests=[
                descriptor(OCI_MANIFEST, "amd64", platform={"os": "linux", "architecture": "amd64"}),
                descriptor(OCI_MANIFEST, "arm64", artifactType="a/b", annotations={"k": "v"}),
            ],
            annotations={"\u00fc": "\u6c34 \U0001f600"},
        ),
        OCI_INDEX,
        (),
    ),
    (
        "a Docker image without a media type in its body",
        manifest(
            config=descriptor("application/vnd.docker.container.image.v1+json", "{}"),
            layers=[descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", "hello\n")],
        ),
        DOCKER_MANIFEST,
        ("hello\n", "{}"),
    ),
    ("nothing in it", manifest(mediaType=OCI_MANIFEST, config=EMPTY, layers=[]), OCI_MANIFEST, ("{}",)),
)
"""Name, body, Content-Type, and the contents that the repository holds."""

PACKAGES: tuple[tuple[str, dict[str, str], dict[str, Any], dict[str, Any] | None], ...] = (
    ("one file", {"hello.txt": "hello\n"}, {}, None),
    (
        "a tree with metadata and a subject",
        {
            "results/\u00fcber.json": "{}",
            "results/a.txt": "hello\n",
            "Z.txt": "hello\n",
            "a file.bin": "",
        },
        {"suite": {"passed": 12, "ratio": 0.75, "tags": ["a", None, True]}, "total": 9007199254740991},
        SUBJECT,
    ),
    ("no files", {}, {"note": "an empty package"}, None),
)
"""Name, files by path, metadata, subject."""

ACCEPTED: tuple[tuple[str, str, str | None], ...] = (
    *((name, body, content_type) for name, body, content_type, _ in PUSHED),
    ("a cosign signature by tag", manifest(config=EMPTY, layers=[descriptor(SIMPLE_SIGNING, "s")]), OCI_MANIFEST),
    ("null for empty lists and maps", manifest(mediaType=OCI_MANIFEST, layers=None, annotations=None), None),
    ("a Docker list", manifest(mediaType=DOCKER_LIST, manifests=[]), DOCKER_LIST),
    ("a media type nobody knows", manifest(mediaType="application/vnd.example.v1+json", layers=[HELLO]), None),
    ("a Content-Type with a parameter", manifest(mediaType=OCI_MANIFEST, layers=[]), f"{OCI_MANIFEST}; charset=utf-8"),
    ("a Content-Type that tells nothing", manifest(mediaType=OCI_MANIFEST, layers=[]), "application/octet-stream"),
    ("no type anywhere", manifest(manifests=[SUBJECT]), None),
    ("unknown fields", manifest(mediaType=OCI_MANIFEST, layers=[HELLO | {"data": "aGVsbG8K"}], x=[1.5, {}]), None),
)
"""Name, body, Content-Type."""

REFUSED: tuple[tuple[str, str, str | None], ...] = (
    ("no JSON", "{", None),
    ("no object", "[]", None),
    ("a name that repeats", '{"schemaVersion":2,"layers":[],"layers":[]}', None),
    ("NaN", '{"schemaVersion":2,"layers":[],"x":NaN}', None),
    ("a lone surrogate", '{"schemaVersion":2,"layers":[],"x":"\\ud800"}', None),
    ("U+0000", '{"schemaVersion":2,"layers":[],"x":"\\u0000"}', None),
    ("nested too deeply", '{"schemaVersion":2,"layers":[],"x":' + "[" * 64 + "]" * 64 + "}", None),
    ("schema 1", '{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[]}', None),
    ("no schema version", '{"layers":[]}', OCI_MANIFEST),
    ("another Content-Type", manifest(mediaType=OCI_MANIFEST, layers=[]), DOCKER_MANIFEST),
    ("image and index at once", manifest(mediaType=OCI_MANIFEST, layers=[], manifests=[]), None),
    ("an unknown type without any shape", manifest(mediaType="application/vnd.example.v1+json"), None),
    ("layers that are no list", manifest(mediaType=OCI_MANIFEST, layers={}), None),
    ("a descriptor without digest", manifest(layers=[{"mediaType": "a/b", "size": 1}]), OCI_MANIFEST),
    ("a digest in upper case", manifest(layers=[HELLO | {"digest": "sha256:" + "A" * 64}]), OCI_MANIFEST),
    ("a negative size", manifest(layers=[HELLO | {"size": -1}]), OCI_MANIFEST),
    ("a size beyond 2^53-1", manifest(layers=[HELLO | {"size": 2**53}]), OCI_MANIFEST),
    ("a size with a fraction", manifest(layers=[HELLO | {"size": 6.0}]), OCI_MANIFEST),
    ("an annotation that is no text", manifest(layers=[], annotations={"a": 1}), OCI_MANIFEST),
)
"""Name, body, Content-Type."""
