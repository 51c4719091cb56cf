"""Pushed manifests: what is accepted, what is refused, and what they are read as."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest

from artifactstore.errors import ManifestInvalid
from artifactstore.manifest.media_types import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_ARTIFACT,
    OCI_INDEX,
    OCI_MANIFEST,
)
from artifactstore.manifest.oci import parse, required_blobs, required_manifests

HEX = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
LAYER = {"mediaType": "application/octet-stream", "digest": f"sha256:{HEX}", "size": 2}
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{HEX}", "size": 2}
CHILD = {"mediaType": OCI_MANIFEST, "digest": "sha256:" + "b" * 64, "size": 7}


def body(**fields: Any) -> bytes:
    """A manifest of schema 2 with these fields."""
    return json.dumps({"schemaVersion": 2} | fields).encode()


def image(**fields: Any) -> bytes:
    """An OCI image manifest with one layer, changed by these fields."""
    return body(**({"mediaType": OCI_MANIFEST, "config": CONFIG, "layers": [LAYER]} | fields))


def test_an_image_is_read_whole() -> None:
    """Media type, kind, config, layers in order, subject and annotations are what the body says."""
    subject = CHILD | {"artifactType": "a/b", "annotations": {"x": "y"}}
    layers = [LAYER | {"annotations": {"org.opencontainers.image.title": "a.txt"}}, LAYER]
    found = parse(image(artifactType="t/t", layers=layers, subject=subject, annotations={"k": "v"}), OCI_MANIFEST)
    assert (found.media_type, found.kind, found.artifact_type) == (OCI_MANIFEST, "t/t", "t/t")
    assert found.config is not None
    assert found.config.size == 2
    assert [layer.annotations for layer in found.layers] == [{"org.opencontainers.image.title": "a.txt"}, {}]
    assert found.subject is not None
    assert (found.subject.artifact_type, found.subject.annotations) == ("a/b", {"x": "y"})
    assert (found.annotations, found.members, found.is_index, found.role) == ({"k": "v"}, (), False, "package")


def test_an_index_is_read_whole() -> None:
    """An index has members and no layers, and its kind is its artifact type or else its media type."""
    found = parse(body(mediaType=OCI_INDEX, manifests=[CHILD, CHILD]), OCI_INDEX)
    assert (found.is_index, found.kind, found.layers, found.config) == (True, OCI_INDEX, (), None)
    assert len(found.members) == 2
    assert parse(body(mediaType=OCI_INDEX, artifactType="t/t", manifests=[])).kind == "t/t"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"artifactType": "a/b"}, "a/b"),
        ({}, "application/vnd.oci.image.config.v1+json"),
        ({"artifactType": ""}, "application/vnd.oci.image.config.v1+json"),
        ({"artifactType": None}, "application/vnd.oci.image.config.v1+json"),
        ({"config": None}, OCI_MANIFEST),
    ],
)
def test_kind_is_the_most_telling_type(fields: dict[str, Any], kind: str) -> None:
    """Artifact type, else the config's media type, else the manifest's own."""
    assert parse(image(**fields)).kind == kind


@pytest.mark.parametrize(
    ("said", "sent", "media_type"),
    [
        (OCI_MANIFEST, OCI_MANIFEST, OCI_MANIFEST),
        (OCI_MANIFEST, f"{OCI_MANIFEST}; charset=utf-8", OCI_MANIFEST),
        (OCI_MANIFEST, OCI_MANIFEST.upper(), OCI_MANIFEST),
        (OCI_MANIFEST, None, OCI_MANIFEST),
        (OCI_MANIFEST, "", OCI_MANIFEST),
        (OCI_MANIFEST, "application/octet-stream", OCI_MANIFEST),
        (None, DOCKER_MANIFEST, DOCKER_MANIFEST),
        (None, f"{OCI_MANIFEST};x=y", OCI_MANIFEST),
        (None, None, OCI_MANIFEST),
        ("", "application/json", OCI_MANIFEST),
        ("application/vnd.example.thing.v1+json", None, "application/vnd.example.thing.v1+json"),
        (None, "application/vnd.example.thing.v1+json", "application/vnd.example.thing.v1+json"),
    ],
)
def test_the_media_type_is_said_by_body_or_header(said: str | None, sent: str | None, media_type: str) -> None:
    """The body decides; without it the Content-Type, unless that tells nothing; without both the shape."""
    fields = {"layers": [LAYER]} if said is None else {"mediaType": said, "layers": [LAYER]}
    assert parse(body(**fields), sent).media_type == media_type


def test_an_index_without_any_type_is_known_by_its_shape() -> None:
    """A body with `manifests` and no media type anywhere is an OCI index."""
    assert parse(body(manifests=[CHILD])).media_type == OCI_INDEX


@pytest.mark.parametrize(
    "pushed",
    [
        image(layers=[]),
        image(layers=None),
        body(mediaType=OCI_MANIFEST, config=CONFIG),
        body(mediaType=OCI_MANIFEST, layers=[LAYER]),
        body(mediaType=OCI_MANIFEST),
        image(annotations=None, subject=None),
        image(layers=[LAYER, LAYER]),
        image(layers=[LAYER | {"annotations": None}]),
        image(layers=[LAYER | {"data": "e30=", "urls": ["https://example.com/x"], "platform": {"os": "linux"}}]),
        image(layers=[LAYER | {"mediaType": "application/x.never.heard.of"}]),
        image(layers=[LAYER | {"mediaType": "text/plain; charset=utf-8"}]),
        image(layers=[LAYER | {"digest": "sha512:" + "a" * 128}, LAYER | {"digest": "md5+b64:AbC_="}]),
        image(layers=[LAYER | {"size": 0}, LAYER | {"size": 2**53 - 1}]),
        image(unknown={"a": [1.5, 1e300, -3, None, True, {"b": []}]}),
        image(annotations={"é": "\U0001f600", "": ""}),
        body(mediaType=OCI_INDEX, manifests=[]),
        body(mediaType=OCI_INDEX, manifests=None),
        body(mediaType=DOCKER_LIST, manifests=[CHILD | {"platform": {"architecture": "amd64", "os": "linux"}}]),
        body(mediaType=DOCKER_MANIFEST, config=CONFIG, layers=[LAYER]),
        b'\n{"schemaVersion":2,"mediaType":"' + OCI_MANIFEST.encode() + b'","layers":[]}\n  ',
        image(annotations={"tricky": "\\u0000 and \\ud800 in words"}),
    ],
)
def test_what_clients_really_push_is_accepted(pushed: bytes) -> None:
    """Empty, null and missing lists, unknown fields and types, mixed algorithms, repeated layers: all are stored."""
    parse(pushed)


def test_the_old_artifact_manifest_has_blobs() -> None:
    """The artifact manifest of image-spec 1.1 before its release has blobs instead of layers, and no schemaVersion."""
    pushed = json.dumps({"mediaType": OCI_ARTIFACT, "artifactType": "a/b", "blobs": [LAYER], "subject": CHILD})
    found = parse(pushed.encode(), OCI_ARTIFACT)
    assert (found.kind, len(found.layers), found.is_index) == ("a/b", 1, False)


@pytest.mark.parametrize(
    ("pushed", "path"),
    [
        (b"", ""),
        (b"[]", ""),
        (b"null", ""),
        (b"\xef\xbb\xbf{}", ""),
        (b'{"schemaVersion":2,"mediaType":"\xff"}', ""),
        (b'{"schemaVersion":2,"layers":[]} x', ""),
        (b'{"schemaVersion":2,"schemaVersion":2,"layers":[]}', ""),
        (b'{"schemaVersion":2,"layers":[],"x":{"a":1,"\\u0061":2}}', ""),
        (b'{"schemaVersion":2,"layers":[],"x":NaN}', ""),
        (b'{"schemaVersion":2,"layers":[],"x":-Infinity}', ""),
        (b'{"schemaVersion":2,"layers":[],"x":["\\ud800"]}', "/x/0"),
        (b'{"schemaVersion":2,"layers":[],"x":"\\udc00\\ud800"}', "/x"),
        (b'{"schemaVersion":2,"layers":[],"x":{"a\\u0000":1}}', "/x/a\\x00"),
        (b'{"schemaVersion":2,"layers":[],"x":"raw\x00nul"}', ""),
        (b'{"schemaVersion":2,"layers":[],"x":' + b"9" * 5000 + b"}", ""),
        (b'{"schemaVersion":2,"layers":[],"x":' + b"[" * 64 + b"]" * 64 + b"}", ""),
        (b'{"a":' * 500_000, ""),
        (b"[" * 1_000_000, ""),
        (json.dumps({"layers": []}).encode(), "/schemaVersion"),
        (body(schemaVersion=1, layers=[]), "/schemaVersion"),
        (body(schemaVersion="2", layers=[]), "/schemaVersion"),
        (body(schemaVersion=2.0, layers=[]), "/schemaVersion"),
        (body(schemaVersion=True, layers=[]), "/schemaVersion"),
        (body(schemaVersion=1, name="a", tag="b", fsLayers=[], signatures=[]), "/mediaType"),
        (body(mediaType="application/vnd.docker.distribution.manifest.v1+prettyjws", layers=[]), "/mediaType"),
        (image(mediaType=DOCKER_MANIFEST + "\r\nX: y"), "/mediaType"),
        (image(mediaType="not a type"), "/mediaType"),
        (image(mediaType="é/x"), "/mediaType"),
        (image(mediaType=7), "/mediaType"),
        (body(mediaType="application/vnd.example.thing.v1+json"), ""),
        (image(manifests=[]), "/manifests"),
        (body(mediaType=OCI_INDEX, manifests=[], layers=[LAYER]), "/layers"),
        (body(mediaType=OCI_INDEX, manifests=[], config=CONFIG), "/config"),
        (body(mediaType="x/y", manifests=[], layers=[]), "/layers"),
        (image(layers={}), "/layers"),
        (image(layers="x"), "/layers"),
        (image(layers=[None]), "/layers/0"),
        (image(config=[]), "/config"),
        (image(config={}), "/config/mediaType"),
        (image(subject={}), "/subject/mediaType"),
        (image(layers=[LAYER, LAYER | {"mediaType": None}]), "/layers/1/mediaType"),
        (image(layers=[LAYER | {"mediaType": "a\nb"}]), "/layers/0/mediaType"),
        (image(layers=[LAYER | {"mediaType": "a/" + "b" * 254}]), "/layers/0/mediaType"),
        (image(layers=[LAYER | {"mediaType": ["a/b"]}]), "/layers/0/mediaType"),
        (image(layers=[LAYER | {"digest": None}]), "/layers/0/digest"),
        (image(layers=[LAYER | {"digest": "sha256:abc"}]), "/layers/0/digest"),
        (image(layers=[LAYER | {"digest": "sha256:" + "A" * 64}]), "/layers/0/digest"),
        (image(layers=[LAYER | {"digest": "UPPER:abc"}]), "/layers/0/digest"),
        (image(layers=[LAYER | {"size": -1}]), "/layers/0/size"),
        (image(layers=[LAYER | {"size": 2**53}]), "/layers/0/size"),
        (image(layers=[LAYER | {"size": 2.0}]), "/layers/0/size"),
        (image(layers=[LAYER | {"size": "2"}]), "/layers/0/size"),
        (image(layers=[LAYER | {"size": True}]), "/layers/0/size"),
        (image(layers=[{"mediaType": "a/b", "digest": LAYER["digest"]}]), "/layers/0/size"),
        (image(layers=[LAYER | {"annotations": {"a/b": 1}}]), "/layers/0/annotations/a~1b"),
        (image(annotations=[]), "/annotations"),
        (image(annotations={"a": None}), "/annotations/a"),
        (image(artifactType=["a"]), "/artifactType"),
        (image(artifactType="ü"), "/artifactType"),
        (body(mediaType=OCI_INDEX, manifests=[CHILD | {"size": -1}]), "/manifests/0/size"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_path(pushed: bytes, path: str) -> None:
    """Each refusal is ManifestInvalid, and its detail names the offending place as a JSON Pointer."""
    with pytest.raises(ManifestInvalid) as caught:
        parse(pushed)
    assert caught.value.detail["path"] == path
    json.dumps(caught.value.detail).encode()


@pytest.mark.parametrize("sent", [DOCKER_MANIFEST, OCI_INDEX, "application/vnd.example+json", "text/html"])
def test_a_content_type_may_not_contradict_the_body(sent: str) -> None:
    """A body that says another media type than the Content-Type is refused."""
    with pytest.raises(ManifestInvalid) as caught:
        parse(image(), sent)
    assert caught.value.detail["path"] == "/mediaType"


@pytest.mark.parametrize("sent", ["application/vnd.docker.distribution.manifest.v1+json", "nonsense", "a/b c"])
def test_a_content_type_alone_may_be_refused(sent: str) -> None:
    """Docker schema 1 and what is no media type are refused when only the header says so."""
    with pytest.raises(ManifestInvalid):
        parse(body(layers=[]), sent)


def test_requirements_leave_out_what_need_not_be_pushed() -> None:
    """Config and layers are required once each; foreign and non-distributable layers and the subject are not."""
    layers = [
        LAYER,
        LAYER | {"digest": "sha256:" + "1" * 64},
        LAYER | {"digest": "sha256:" + "1" * 64},
        LAYER
        | {
            "digest": "sha256:" + "2" * 64,
            "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        },
        LAYER
        | {
            "digest": "sha256:" + "3" * 64,
            "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        },
    ]
    found = parse(image(layers=layers, subject=CHILD))
    assert [item.digest for item in required_blobs(found)] == [CONFIG["digest"], "sha256:" + "1" * 64]
    assert required_manifests(found) == ()


def test_members_are_required_once_each() -> None:
    """An index requires each distinct member, and no blobs."""
    found = parse(body(mediaType=OCI_INDEX, manifests=[CHILD, CHILD, CHILD | {"digest": f"sha256:{HEX}"}]))
    assert [item.digest for item in required_manifests(found)] == [CHILD["digest"], f"sha256:{HEX}"]
    assert required_blobs(found) == ()


HOSTILE = {
    "brackets": b"[" * 4_000_000,
    "repeated name at the end": b"{" + b",".join(b'"%d":1' % n for n in range(350_000)) + b',"349999":2}',
    "small objects": b'{"schemaVersion":2,"layers":[],"x":[' + b"{}," * 1_300_000 + b"{}]}",
    "escapes": b'{"schemaVersion":2,"layers":[],"x":"' + b"\\ud83d\\ude00" * 330_000 + b'"}',
    "lists": b'{"schemaVersion":2,"layers":[],"x":[' + b"[[]]," * 800_000 + b"[]]}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_four_mebibytes_of_malice_take_bounded_time(name: str) -> None:
    """Reading is linear: the worst 4 MiB that were thought of are answered within seconds."""
    began = time.perf_counter()
    with contextlib.suppress(ManifestInvalid):
        parse(HOSTILE[name])
    assert time.perf_counter() - began < 20
