"""Manifests and tags over HTTP: end-3, end-7a, end-7b and end-9 of the endpoint table."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.http.oci_client import (
    ALGORITHMS,
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


def layered(repository: Repository, data: bytes = b"a layer", algorithm: str = "sha256", **more: object) -> bytes:
    """An image whose blobs are there."""
    repository.push_blob(b"{}", algorithm)
    repository.push_blob(data, algorithm)
    return image(data, algorithm=algorithm, **more)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_manifest_comes_back_as_it_was_pushed(repository: Repository, algorithm: str) -> None:
    """By digest and by tag, byte for byte, with its media type bare and the digest it was pushed under."""
    body = layered(repository, algorithm=algorithm, annotations={"who": "mé"}) + b"\n "
    named = digest(body, algorithm)
    pushed = repository.put(named, body, tag="v1")
    assert pushed.status_code == 201
    assert pushed.headers["location"] == f"{repository.at}/manifests/{named}"
    assert pushed.headers["docker-content-digest"] == named
    for reference in (named, "v1"):
        answer = repository.get(f"manifests/{reference}")
        assert (answer.status_code, answer.content) == (200, body)
        assert {name: answer.headers[name] for name in HEADERS} == {
            "content-type": MANIFEST,
            "content-length": str(len(body)),
            "docker-content-digest": named,
            "etag": f'"{named}"',
        }


def test_a_push_by_tag_is_by_sha256(repository: Repository) -> None:
    """The tag answers with the sha256 digest, and the manifest is there by its other digests too."""
    body = layered(repository)
    assert repository.push("v1", body) == digest(body)
    for algorithm in ALGORITHMS:
        answer = repository.get(f"manifests/{digest(body, algorithm)}")
        assert answer.headers["docker-content-digest"] == digest(body, algorithm)


def test_head_has_the_headers_of_get_and_no_body(repository: Repository) -> None:
    """By tag and by digest."""
    named = repository.push("v1", layered(repository))
    for reference in ("v1", named):
        head = repository.http.head(f"{repository.at}/manifests/{reference}")
        get = repository.get(f"manifests/{reference}")
        assert (head.status_code, head.content) == (200, b"")
        assert {name: head.headers[name] for name in HEADERS} == {name: get.headers[name] for name in HEADERS}


def test_several_tags_come_with_one_push(repository: Repository) -> None:
    """end-7b: each `tag` is set at once and named by an OCI-Tag header; they answer with the digest pushed."""
    body = layered(repository)
    named = digest(body, "sha512")
    pushed = repository.put(named, body, tag=["a", "b", "c"])
    assert pushed.headers.get_list("oci-tag") == ["a", "b", "c"]
    assert repository.tags() == ["a", "b", "c"]
    assert repository.get("manifests/b").headers["docker-content-digest"] == named


def test_a_push_without_tags_names_none(repository: Repository) -> None:
    """OCI-Tag answers `tag` parameters only."""
    assert "oci-tag" not in repository.put("v1", layered(repository)).headers


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
    body = layered(repository)
    assert refused(repository.put(reference or digest(body), body, tag=tags)) == (400, [code])
    assert repository.get(f"manifests/{digest(body)}").status_code == 404
    assert repository.tags() == []


def test_a_subject_is_named_in_the_answer(repository: Repository) -> None:
    """OCI-Subject, by tag and by digest, for image and index, whether the subject is there or not."""
    subject = descriptor(b"never pushed", MANIFEST)
    body = layered(repository, subject=subject)
    for answer in (repository.put("v1", body), repository.put(digest(body), body)):
        assert (answer.status_code, answer.headers["oci-subject"]) == (201, subject["digest"])
    listing = index(body, subject=subject)
    assert repository.put(digest(listing), listing, INDEX).headers["oci-subject"] == subject["digest"]
    assert "oci-subject" not in repository.put("v2", layered(repository)).headers


@pytest.mark.parametrize("media_type", [DOCKER, "application/vnd.example.manifest+json"])
def test_other_media_types_are_stored_as_they_are(repository: Repository, media_type: str) -> None:
    """Docker's and unknown types come back unchanged, whatever Accept says."""
    body = layered(repository, mediaType=media_type)
    repository.push("v1", body, media_type)
    for accept in ("*/*", MANIFEST, "text/html"):
        answer = repository.http.get(f"{repository.at}/manifests/v1", headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


def test_a_docker_list_is_an_index(repository: Repository) -> None:
    """Its members must be there, and it comes back with its own type."""
    member = layered(repository, mediaType=DOCKER)
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
    repository.push("v1", layered(repository, mediaType=said), sent)
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
    body = layered(repository)
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
    body = layered(repository)
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
    body = layered(repository, mediaType=None)
    assert repository.put("v1", body).status_code == repository.put("v1", body).status_code == 201
    answer = repository.put("v1", body, "application/vnd.example.other+json")
    assert refused(answer) == (400, ["MANIFEST_INVALID"])


def test_a_tag_moves_to_what_is_pushed_last(repository: Repository) -> None:
    """The manifest it left is still there by digest."""
    first = repository.push("latest", layered(repository, b"one"))
    second = repository.push("latest", layered(repository, b"two"))
    assert repository.get("manifests/latest").headers["docker-content-digest"] == second
    assert repository.get(f"manifests/{first}").status_code == 200


def test_if_none_match_knows_the_entity_tag(repository: Repository) -> None:
    """304 without a body while the tag names the same, 200 when it has moved."""
    named = repository.push("v1", layered(repository))
    headers = {"if-none-match": f'"{named}"'}
    answer = repository.http.get(f"{repository.at}/manifests/v1", headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")
    repository.push("v1", layered(repository, b"other"))
    assert repository.http.get(f"{repository.at}/manifests/v1", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("reference", "status", "code"),
    [
        ("never", 404, "MANIFEST_UNKNOWN"),
        (digest(b"never"), 404, "MANIFEST_UNKNOWN"),
        (".INVALID_MANIFEST_NAME", 404, "MANIFEST_UNKNOWN"),
        ("sha384:abc", 404, "MANIFEST_UNKNOWN"),
        ("sha256:totallywrong", 400, "DIGEST_INVALID"),
    ],
)
def test_what_is_not_there_is_not_found(repository: Repository, reference: str, status: int, code: str) -> None:
    """An unknown tag or digest is 404, also one that could not exist; what can be no digest is 400."""
    repository.push_blob(b"{}")
    assert refused(repository.get(f"manifests/{reference}")) == (status, [code])
    assert repository.http.head(f"{repository.at}/manifests/{reference}").status_code == status
    assert repository.http.delete(f"{repository.at}/manifests/{reference}").status_code == status


def test_an_unknown_repository_is_unknown_by_name(http: httpx.Client) -> None:
    """404 NAME_UNKNOWN."""
    assert refused(http.get("/v2/test/never/manifests/v1")) == (404, ["NAME_UNKNOWN"])
    assert refused(http.delete("/v2/test/never/manifests/v1")) == (404, ["NAME_UNKNOWN"])


def test_deleting_a_tag_leaves_the_manifest(repository: Repository) -> None:
    """end-9: 202; the tag is gone at once, the manifest and its other tags stay."""
    named = repository.push(digest(layered(repository)), layered(repository), tag=["a", "b"])
    assert repository.http.delete(f"{repository.at}/manifests/a").status_code == 202
    assert repository.tags() == ["b"]
    assert repository.get("manifests/a").status_code == 404
    assert repository.get(f"manifests/{named}").status_code == 200


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_deleting_a_manifest_takes_its_tags(repository: Repository, algorithm: str) -> None:
    """end-9: 202 by any of its digests; digests and tags are 404 at once, and the repository is known and empty."""
    body = layered(repository)
    repository.push(digest(body), body, tag=["a", "b"])
    assert repository.http.delete(f"{repository.at}/manifests/{digest(body, algorithm)}").status_code == 202
    assert repository.tags() == []
    for reference in (*(digest(body, name) for name in ALGORITHMS), "a", "b"):
        assert refused(repository.get(f"manifests/{reference}")) == (404, ["MANIFEST_UNKNOWN"])
    assert repository.push("a", body) == digest(body)


def test_deleting_can_be_switched_off(limited: Repository) -> None:
    """405 with UNSUPPORTED and the methods that remain, for manifests and tags."""
    named = limited.push("v1", layered(limited))
    for reference in ("v1", named):
        answer = limited.http.delete(f"{limited.at}/manifests/{reference}")
        assert refused(answer) == (405, ["UNSUPPORTED"])
        assert answer.headers["allow"] == "GET, HEAD, PUT"
    assert limited.tags() == ["v1"]


def test_a_deleted_blob_still_serves_its_package(repository: Repository) -> None:
    """Deleting a layer's blob takes the OCI link away; the package's file is served by the native API all the same."""
    title = {"org.opencontainers.image.title": "a.txt"}
    layer = descriptor(b"kept", annotations=title)
    repository.push_blob(b"kept")
    named = repository.push("v1", image(layers=[layer]))
    assert repository.http.delete(f"{repository.at}/blobs/{digest(b'kept')}").status_code == 202
    assert repository.get(f"blobs/{digest(b'kept')}").status_code == 404
    assert repository.http.get(f"/api/v1/packages/{repository.name}@{named}/files/a.txt").content == b"kept"
    assert repository.get(f"manifests/{named}").status_code == 200


def test_unknown_fields_and_embedded_data_are_kept(repository: Repository) -> None:
    """Whatever else a manifest says is stored with it, never checked and never dropped."""
    repository.push_blob(b"{}")
    config = descriptor(b"{}", EMPTY, data="e30=", more={"a": [1]})
    body = image(config=config, layers=[], artifactType="application/vnd.example.x", org={"unknown": None})
    assert repository.push("v1", body)
    assert repository.get("manifests/v1").content == body
