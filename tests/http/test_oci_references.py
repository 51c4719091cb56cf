"""Manifests and tags read and deleted over HTTP: end-3 and end-9 of the endpoint table."""

from __future__ import annotations

import httpx
import pytest

from tests.http.oci_client import (
    ALGORITHMS,
    MANIFEST,
    Repository,
    descriptor,
    digest,
    image,
    refused,
)

HEADERS = ("content-type", "content-length", "docker-content-digest", "etag")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_manifest_comes_back_as_it_was_pushed(repository: Repository, algorithm: str) -> None:
    """By digest and by tag, byte for byte, with its media type bare and the digest it was pushed under."""
    body = repository.layered(algorithm=algorithm, annotations={"who": "mé"}) + b"\n "
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
    body = repository.layered()
    assert repository.push("v1", body) == digest(body)
    for algorithm in ALGORITHMS:
        answer = repository.get(f"manifests/{digest(body, algorithm)}")
        assert answer.headers["docker-content-digest"] == digest(body, algorithm)


def test_head_has_the_headers_of_get_and_no_body(repository: Repository) -> None:
    """By tag and by digest."""
    named = repository.push("v1", repository.layered())
    for reference in ("v1", named):
        head = repository.http.head(f"{repository.at}/manifests/{reference}")
        get = repository.get(f"manifests/{reference}")
        assert (head.status_code, head.content) == (200, b"")
        assert {name: head.headers[name] for name in HEADERS} == {name: get.headers[name] for name in HEADERS}


def test_a_tag_moves_to_what_is_pushed_last(repository: Repository) -> None:
    """The manifest it left is still there by digest."""
    first = repository.push("latest", repository.layered(b"one"))
    second = repository.push("latest", repository.layered(b"two"))
    assert repository.get("manifests/latest").headers["docker-content-digest"] == second
    assert repository.get(f"manifests/{first}").status_code == 200


def test_if_none_match_knows_the_entity_tag(repository: Repository) -> None:
    """304 without a body while the tag names the same, 200 when it has moved."""
    named = repository.push("v1", repository.layered())
    headers = {"if-none-match": f'"{named}"'}
    answer = repository.http.get(f"{repository.at}/manifests/v1", headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")
    repository.push("v1", repository.layered(b"other"))
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
    named = repository.push(digest(repository.layered()), repository.layered(), tag=["a", "b"])
    assert repository.http.delete(f"{repository.at}/manifests/a").status_code == 202
    assert repository.tags() == ["b"]
    assert repository.get("manifests/a").status_code == 404
    assert repository.get(f"manifests/{named}").status_code == 200


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_deleting_a_manifest_takes_its_tags(repository: Repository, algorithm: str) -> None:
    """end-9: 202 by any of its digests; digests and tags are 404 at once, and the repository is known and empty."""
    body = repository.layered()
    repository.push(digest(body), body, tag=["a", "b"])
    assert repository.http.delete(f"{repository.at}/manifests/{digest(body, algorithm)}").status_code == 202
    assert repository.tags() == []
    for reference in (*(digest(body, name) for name in ALGORITHMS), "a", "b"):
        assert refused(repository.get(f"manifests/{reference}")) == (404, ["MANIFEST_UNKNOWN"])
    assert repository.push("a", body) == digest(body)


def test_deleting_can_be_switched_off(limited: Repository) -> None:
    """405 with UNSUPPORTED and the methods that remain, for manifests and tags."""
    named = limited.push("v1", limited.layered())
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
