"""Manifests pushed over HTTP: end-7a and end-7b of the endpoint table, and what is refused there."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.http.oci_client import (
    DOCKER,
    DOCKER_LIST,
    EMPTY,
    INDEX,
    MANIFEST,
    OCTETS,
    Repository,
    descriptor,
    digest,
    image,
    index,
    refused,
    streamed,
)

HEADERS = ("content-type", "content-length", "docker-content-digest", "etag")


def test_several_tags_come_with_one_push(repository: Repository) -> None:
    """end-7b: each `tag` is set at once and named by an OCI-Tag header; they answer with the digest pushed."""
    body = repository.layered()
    named = digest(body, "sha512")
    pushed = repository.put(named, body, tag=["a", "b", "c"])
    assert pushed.headers.get_list("oci-tag") == ["a", "b", "c"]
    assert repository.tags() == ["a", "b", "c"]
    assert repository.get("manifests/b").headers["docker-content-digest"] == named


def test_a_push_without_tags_names_none(repository: Repository) -> None:
    """OCI-Tag answers `tag` parameters only."""
    assert "oci-tag" not in repository.put("v1", repository.layered()).headers


@pytest.mark.parametrize(
    ("reference", "tags", "code"),
    [
        ("v1", ["v2"], "UNSUPPORTED"),
        (None, ["ok", "not ok"], "MANIFEST_INVALID"),
        (None, [""], "MANIFEST_INVALID"),
        (None, [f"t{n}" for n in range(101)], "UNSUPPORTED"),
    ],
)
def test_tags_that_cannot_be_set_refuse_the_push(
    repository: Repository, reference: str | None, tags: list[str], code: str
) -> None:
    """400, and neither the manifest nor any of the tags is there."""
    body = repository.layered()
    assert refused(repository.put(reference or digest(body), body, tag=tags)) == (400, [code])
    assert repository.get(f"manifests/{digest(body)}").status_code == 404
    assert repository.tags() == []


def test_a_subject_is_named_in_the_answer(repository: Repository) -> None:
    """OCI-Subject, by tag and by digest, for image and index, whether the subject is there or not."""
    subject = descriptor(b"never pushed", MANIFEST)
    body = repository.layered(subject=subject)
    for answer in (repository.put("v1", body), repository.put(digest(body), body)):
        assert (answer.status_code, answer.headers["oci-subject"]) == (201, subject["digest"])
    listing = index(body, subject=subject)
    assert repository.put(digest(listing), listing, INDEX).headers["oci-subject"] == subject["digest"]
    assert "oci-subject" not in repository.put("v2", repository.layered()).headers


@pytest.mark.parametrize("media_type", [DOCKER, "application/vnd.example.manifest+json"])
def test_other_media_types_are_stored_as_they_are(repository: Repository, media_type: str) -> None:
    """Docker's and unknown types come back unchanged, whatever Accept says."""
    body = repository.layered(mediaType=media_type)
    repository.push("v1", body, media_type)
    for accept in ("*/*", MANIFEST, "text/html"):
        answer = repository.http.get(f"{repository.at}/manifests/v1", headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


def test_a_docker_list_is_an_index(repository: Repository) -> None:
    """Its members must be there, and it comes back with its own type."""
    member = repository.layered(mediaType=DOCKER)
    repository.push(digest(member), member, DOCKER)
    body = index(member, mediaType=DOCKER_LIST)
    repository.push("v1", body, DOCKER_LIST)
    assert repository.get("manifests/v1").headers["content-type"] == DOCKER_LIST


@pytest.mark.parametrize(
    ("said", "sent", "answered"),
    [
        (None, MANIFEST, MANIFEST),
        (None, None, MANIFEST),
        (MANIFEST, None, MANIFEST),
        (MANIFEST, OCTETS, MANIFEST),
        (MANIFEST, f"{MANIFEST}; charset=utf-8", MANIFEST),
    ],
)
def test_the_media_type_is_that_of_body_or_header(
    repository: Repository, said: str | None, sent: str | None, answered: str
) -> None:
    """A body without mediaType takes the Content-Type's, a header that tells nothing yields to the body."""
    repository.push("v1", repository.layered(mediaType=said), sent)
    assert repository.get("manifests/v1").headers["content-type"] == answered


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"\xff",
        b'{"layers":[]}',
        b'{"schemaVersion":2,"layers":[],"layers":[]}',
        b'{"schemaVersion":1,"fsLayers":[]}',
        b'{"schemaVersion":2,"config":{"digest":"sha256:x"}}',
        b'{"schemaVersion":2,"layers":[],"annotations":{"a":"\\ud800"}}',
        json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_no_manifest_is_refused(repository: Repository, body: bytes) -> None:
    """400 MANIFEST_INVALID; nothing is kept."""
    repository.push_blob(b"{}")
    assert refused(repository.put("v1", body)) == (400, ["MANIFEST_INVALID"])
    assert repository.tags() == []


def test_a_push_under_another_digest_is_refused(repository: Repository) -> None:
    """400 DIGEST_INVALID for bytes of another digest, and for what is no digest."""
    body = repository.layered()
    for reference in (digest(body), "sha256:baddigeststring", "sha384:abc"):
        assert refused(repository.put(reference, body + b"  ")) == (400, ["DIGEST_INVALID"])


def test_a_manifest_needs_what_it_names(repository: Repository) -> None:
    """400 MANIFEST_BLOB_UNKNOWN names what is missing; after it came the same push succeeds."""
    repository.push_blob(b"{}")
    body = image(b"late layer")
    answer = repository.put("v1", body)
    assert refused(answer) == (400, ["MANIFEST_BLOB_UNKNOWN"])
    assert digest(b"late layer") in answer.text
    repository.push_blob(b"late layer")
    assert repository.put("v1", body).status_code == 201
    assert refused(repository.put("v2", index(image(b"x")), INDEX)) == (400, ["MANIFEST_BLOB_UNKNOWN"])


def test_blobs_of_another_repository_do_not_count(repository: Repository, other: Repository) -> None:
    """What a manifest names must be in its own repository."""
    body = repository.layered()
    assert refused(other.put("v1", body)) == (400, ["MANIFEST_BLOB_UNKNOWN"])


def test_a_sparse_repository_takes_manifests_alone(http: httpx.Client) -> None:
    """Under a prefix of `sparse_repositories` content may be missing; beside the prefix it may not."""
    sparse, beside = Repository(http, "sparse/mirror"), Repository(http, "sparse-not/mirror")
    assert sparse.put("v1", image(b"nowhere")).status_code == 201
    assert sparse.put("v2", index(image(b"nowhere either")), INDEX).status_code == 201
    assert refused(beside.put("v1", image(b"nowhere"))) == (400, ["MANIFEST_BLOB_UNKNOWN"])


def test_layers_that_are_not_to_be_distributed_may_be_missing(repository: Repository) -> None:
    """A foreign layer is named with its URLs and never pushed."""
    kind = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    layer = descriptor(b"of somebody else", kind, urls=["https://example.invalid/layer"])
    assert repository.push("v1", image(layers=[layer]))


def test_the_limit_of_manifests_is_4_mib(repository: Repository) -> None:
    """A manifest of exactly the limit is stored, one byte more is 413, with or without an announced length."""
    repository.push_blob(b"{}")
    room = (4 << 20) - len(image(annotations={"pad": ""}))
    body = image(annotations={"pad": "x" * room})
    assert len(body) == 4 << 20
    assert repository.put(digest(body), streamed(body, 100_000)).status_code == 201
    assert repository.get(f"manifests/{digest(body)}").content == body
    for larger in (body + b" ", streamed(body + b" ", 100_000)):
        assert refused(repository.put("v1", larger)) == (413, ["SIZE_INVALID"])


def test_the_same_bytes_again_change_nothing(repository: Repository) -> None:
    """A repeated push is 201 again; under another media type the same live bytes are refused."""
    body = repository.layered(mediaType=None)
    assert repository.put("v1", body).status_code == repository.put("v1", body).status_code == 201
    answer = repository.put("v1", body, "application/vnd.example.other+json")
    assert refused(answer) == (400, ["MANIFEST_INVALID"])


def test_unknown_fields_and_embedded_data_are_kept(repository: Repository) -> None:
    """Whatever else a manifest says is stored with it, never checked and never dropped."""
    repository.push_blob(b"{}")
    config = descriptor(b"{}", EMPTY, data="e30=", more={"a": [1]})
    body = image(config=config, layers=[], artifactType="application/vnd.example.x", org={"unknown": None})
    assert repository.push("v1", body)
    assert repository.get("manifests/v1").content == body
