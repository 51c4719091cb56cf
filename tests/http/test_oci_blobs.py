"""Blobs over HTTP: end-2, end-4b, end-10 and end-11 of the endpoint table."""

from __future__ import annotations

import email.policy
import os

import httpx
import pytest

from tests.http.oci_client import ALGORITHMS, Repository, digest, refused, streamed

DATA = bytes(range(256)) * 8
UNKNOWN = digest(b"never pushed")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_blob_comes_back_under_the_digest_it_was_pushed_under(repository: Repository, algorithm: str) -> None:
    """end-4b answers 201 with Location and digest; end-2 serves the same bytes there, by each algorithm."""
    named = digest(DATA, algorithm)
    pushed = repository.http.post(f"{repository.at}/blobs/uploads/", params={"digest": named}, content=DATA)
    assert pushed.status_code == 201
    assert pushed.headers["location"] == f"{repository.at}/blobs/{named}"
    assert pushed.headers["docker-content-digest"] == named
    answer = repository.http.get(pushed.headers["location"])
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["docker-content-digest"] == named
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["etag"] == f'"{named}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "application/octet-stream"


def test_every_known_digest_of_a_blob_names_it(repository: Repository) -> None:
    """A blob pushed by sha256 is there by its blake3 digest too, and the answer names the digest that was asked."""
    repository.push_blob(DATA)
    named = digest(DATA, "blake3")
    answer = repository.get(f"blobs/{named}")
    assert (answer.status_code, answer.headers["docker-content-digest"]) == (200, named)


def test_head_has_the_headers_of_get_and_no_body(repository: Repository) -> None:
    """HEAD on a blob says its length and digest, ignores Range, and sends nothing."""
    named = repository.push_blob(DATA)
    head = repository.http.head(f"{repository.at}/blobs/{named}", headers={"range": "bytes=0-9"})
    get = repository.get(f"blobs/{named}")
    same = ("content-length", "content-type", "docker-content-digest", "etag", "accept-ranges")
    assert (head.status_code, head.content) == (200, b"")
    assert {name: head.headers[name] for name in same} == {name: get.headers[name] for name in same}


@pytest.mark.parametrize("data", [b"", b"{}", b"x" * 300_000, b"y" * 3_000_000])
def test_blobs_of_every_size_go_through(repository: Repository, data: bytes) -> None:
    """An empty blob is one like any other, a large one comes in many pieces; neither needs a Content-Length."""
    named = digest(data)
    pushed = repository.http.post(f"{repository.at}/blobs/uploads/", params={"digest": named}, content=streamed(data))
    assert pushed.status_code == 201
    answer = repository.get(f"blobs/{named}")
    assert answer.content == data
    assert answer.headers["content-length"] == str(len(data))


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=500-1499", 500, 1499),
        ("bytes=500-", 500, 2047),
        ("bytes=-500", 1548, 2047),
        ("bytes=2000-5000", 2000, 2047),
    ],
)
def test_a_range_brings_its_bytes(repository: Repository, asked: str, first: int, last: int) -> None:
    """206 with exact Content-Range and Content-Length, the end clamped (RFC 9110, 14)."""
    named = repository.push_blob(DATA)
    answer = repository.http.get(f"{repository.at}/blobs/{named}", headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, DATA[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/2048"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert answer.headers["docker-content-digest"] == named


@pytest.mark.parametrize("asked", ["bytes=500-0", "bytes=5000-10000"])
def test_a_range_without_bytes_is_416(repository: Repository, asked: str) -> None:
    """416 names the size, also for a range that ends before it begins."""
    named = repository.push_blob(DATA)
    answer = repository.http.get(f"{repository.at}/blobs/{named}", headers={"range": asked})
    assert refused(answer) == (416, ["SIZE_INVALID"])
    assert answer.headers["content-range"] == "bytes */2048"


def parts_of(answer: httpx.Response) -> list[tuple[str, bytes]]:
    """Content-Range and bytes of each part, as any MIME parser reads them."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + answer.content, policy=email.policy.HTTP)
    assert message.is_multipart()
    assert not message.defects
    return [(str(part["content-range"]), part.get_content()) for part in message.iter_parts()]


def test_several_ranges_come_in_parts(repository: Repository) -> None:
    """206 multipart/byteranges: each range with its place, in the order of the request, and an exact length."""
    named = repository.push_blob(DATA)
    path = f"{repository.at}/blobs/{named}"
    answer = repository.http.get(path, headers={"range": "bytes=500-509, 0-0,2040-9000,5000-"})
    assert (answer.status_code, answer.headers["content-length"]) == (206, str(len(answer.content)))
    assert "content-range" not in answer.headers
    assert answer.headers["docker-content-digest"] == named
    expected = [("500-509", DATA[500:510]), ("0-0", DATA[:1]), ("2040-2047", DATA[2040:])]
    assert parts_of(answer) == [(f"bytes {place}/2048", part) for place, part in expected]
    only = repository.http.get(path, headers={"range": "bytes=1-2,5000-"})
    assert (only.headers["content-range"], only.content) == ("bytes 1-2/2048", DATA[1:3])


def test_parts_of_a_large_blob_are_streamed(repository: Repository) -> None:
    """Ranges of more bytes than are read at once come whole."""
    data = os.urandom(5 << 20)
    named = repository.push_blob(data)
    answer = repository.http.get(f"{repository.at}/blobs/{named}", headers={"range": "bytes=1-3000000,-1000000"})
    assert [part for _, part in parts_of(answer)] == [data[1:3000001], data[-1000000:]]


@pytest.mark.parametrize("asked", ["bytes=a-b", "lines=1-2", "bytes=0-1,x", "bytes=0-,0-"])
def test_a_range_that_is_none_brings_everything(repository: Repository, asked: str) -> None:
    """Garbage, other units, and ranges that overlap into more than there is, are ignored."""
    named = repository.push_blob(DATA)
    answer = repository.http.get(f"{repository.at}/blobs/{named}", headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, DATA)


def test_if_range_and_if_none_match_know_the_entity_tag(repository: Repository) -> None:
    """The tag is the digest in quotes: If-Range keeps the range with it, If-None-Match answers 304 without a body."""
    named = repository.push_blob(DATA)
    path = f"{repository.at}/blobs/{named}"
    kept = repository.http.get(path, headers={"range": "bytes=0-9", "if-range": f'"{named}"'})
    dropped = repository.http.get(path, headers={"range": "bytes=0-9", "if-range": '"other"'})
    assert (kept.status_code, dropped.status_code) == (206, 200)
    for known in (f'"{named}"', f'"other", W/"{named}"', "*"):
        answer = repository.http.get(path, headers={"if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["docker-content-digest"] == named
    assert repository.http.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_a_blob_belongs_to_the_repository_it_was_pushed_to(repository: Repository, other: Repository) -> None:
    """Another repository does not have it; one that was never heard of is unknown by name."""
    named = repository.push_blob(DATA)
    assert refused(other.get(f"blobs/{named}")) == (404, ["NAME_UNKNOWN"])
    other.push_blob(b"something else")
    assert refused(other.get(f"blobs/{named}")) == (404, ["BLOB_UNKNOWN"])
    assert repository.http.head(f"{other.at}/blobs/{named}").status_code == 404


@pytest.mark.parametrize(
    ("named", "code"),
    [
        (digest(b"other bytes"), "DIGEST_INVALID"),
        (digest(b"other bytes", "sha512"), "DIGEST_INVALID"),
        ("sha256:short", "DIGEST_INVALID"),
        ("sha384:" + "0" * 96, "DIGEST_INVALID"),
        ("md5", "DIGEST_INVALID"),
        ("", "DIGEST_INVALID"),
    ],
)
def test_a_push_under_a_wrong_digest_keeps_nothing(repository: Repository, named: str, code: str) -> None:
    """400 for bytes of another digest, a malformed digest and an unsupported algorithm; no blob comes of it."""
    data = f"pushed as {named}".encode()
    pushed = repository.http.post(f"{repository.at}/blobs/uploads/", params={"digest": named}, content=data)
    assert refused(pushed) == (400, [code])
    assert repository.get(f"blobs/{digest(data)}").status_code == 404


@pytest.mark.parametrize("named", ["sha256:short", "latest", "sha256:" + "A" * 64])
def test_a_malformed_digest_is_refused_when_pulled(repository: Repository, named: str) -> None:
    """What can be no digest is 400, not merely unknown; an algorithm of tomorrow is merely unknown."""
    assert refused(repository.get(f"blobs/{named}")) == (400, ["DIGEST_INVALID"])
    assert refused(repository.get("blobs/sha384:abc")) == (404, ["BLOB_UNKNOWN"])


def test_digests_may_be_percent_encoded(repository: Repository) -> None:
    """`%3A` for the colon is the same address."""
    named = repository.push_blob(DATA)
    assert repository.get(f"blobs/{named.replace(':', '%3A')}").content == DATA


def test_a_mount_needs_no_bytes(repository: Repository, other: Repository) -> None:
    """end-11: a blob of `from` is linked with 201, by any of its digests."""
    repository.push_blob(DATA)
    named = digest(DATA, "blake3")
    query = {"mount": named, "from": repository.name}
    answer = other.http.post(f"{other.at}/blobs/uploads/", params=query)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{other.at}/blobs/{named}"
    assert answer.headers["docker-content-digest"] == named
    assert other.get(f"blobs/{named}").content == DATA


def test_a_mount_may_name_no_source(repository: Repository, other: Repository) -> None:
    """Without `from` every repository is looked into."""
    named = repository.push_blob(b"mounted from anywhere")
    assert other.http.post(f"{other.at}/blobs/uploads/", params={"mount": named}).status_code == 201
    assert other.get(f"blobs/{named}").status_code == 200


@pytest.mark.parametrize("source", [{}, {"from": "test/unheard-of"}, {"from": "NOT/A:NAME"}])
def test_a_mount_of_what_is_not_there_opens_an_upload(repository: Repository, source: dict[str, str]) -> None:
    """202 with a usable upload, whatever the reason; never 404."""
    data = b"to be brought after all " + repr(source).encode() + repository.name.encode()
    query = {"mount": digest(data), **source}
    answer = repository.http.post(f"{repository.at}/blobs/uploads/", params=query)
    assert answer.status_code == 202
    assert answer.headers["location"].startswith(f"{repository.at}/blobs/uploads/")
    assert repository.close(answer.headers["location"], digest(data), data).status_code == 201


def test_a_source_that_does_not_hold_the_blob_is_not_mounted_from(repository: Repository, other: Repository) -> None:
    """A blob elsewhere is no blob of the `from` that was named."""
    named = repository.push_blob(b"not in the other one")
    other.push_blob(b"something")
    query = {"mount": named, "from": other.name}
    assert repository.http.post("/v2/test/third/blobs/uploads/", params=query).status_code == 202


def test_deleting_takes_the_link_of_one_repository(repository: Repository, other: Repository) -> None:
    """end-10: 202, then 404 there, at once, by every digest; elsewhere the blob stays."""
    named = repository.push_blob(DATA)
    other.push_blob(DATA)
    assert repository.http.delete(f"{repository.at}/blobs/{named}").status_code == 202
    assert repository.http.head(f"{repository.at}/blobs/{named}").status_code == 404
    assert repository.get(f"blobs/{digest(DATA, 'blake3')}").status_code == 404
    assert other.get(f"blobs/{named}").status_code == 200
    assert refused(repository.http.delete(f"{repository.at}/blobs/{named}")) == (404, ["BLOB_UNKNOWN"])
    assert repository.push_blob(DATA) == named


def test_deleting_can_be_switched_off(limited: Repository) -> None:
    """405 with UNSUPPORTED and the methods that remain."""
    named = limited.push_blob(DATA)
    answer = limited.http.delete(f"{limited.at}/blobs/{named}")
    assert refused(answer) == (405, ["UNSUPPORTED"])
    assert answer.headers["allow"] == "GET, HEAD"
    assert limited.get(f"blobs/{named}").status_code == 200


@pytest.mark.parametrize("announced", [True, False])
def test_a_blob_over_the_limit_is_413(limited: Repository, announced: bool) -> None:
    """The limit holds with and without a Content-Length, and keeps nothing."""
    data = b"z" * (101 << 10)
    body = data if announced else streamed(data)
    answer = limited.http.post(f"{limited.at}/blobs/uploads/", params={"digest": digest(data)}, content=body)
    assert refused(answer) == (413, ["SIZE_INVALID"])
    assert limited.get(f"blobs/{digest(data)}").status_code == 404


def test_unknown_blobs_are_unknown(http: httpx.Client) -> None:
    """A repository that never was answers 404 to every blob question."""
    path = f"/v2/test/never/blobs/{UNKNOWN}"
    assert refused(http.get(path)) == (404, ["NAME_UNKNOWN"])
    assert refused(http.delete(path)) == (404, ["NAME_UNKNOWN"])
