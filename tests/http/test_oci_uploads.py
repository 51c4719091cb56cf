"""Uploads in several requests: end-4a, 4c, 5, 6, 13 and 14 of the endpoint table."""

from __future__ import annotations

import httpx
import pytest

from tests.http.oci_client import ALGORITHMS, Repository, digest, refused, streamed

DATA = bytes(range(256)) * 12
CHUNK = 1024


def standing(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, Location and Range."""
    return answer.status_code, answer.headers["location"], answer.headers["range"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_blob_can_come_in_chunks(repository: Repository, algorithm: str) -> None:
    """Chunks with their places, the last one with the PUT; the digest may be any, without having been announced."""
    upload = repository.open_upload()
    assert standing(repository.patch(upload, DATA[:CHUNK], 0)) == (202, upload, "0-1023")
    assert standing(repository.patch(upload, DATA[CHUNK : 2 * CHUNK], CHUNK)) == (202, upload, "0-2047")
    named = digest(DATA, algorithm)
    closed = repository.close(upload, named, DATA[2 * CHUNK :], **{"content-range": "2048-3071"})
    assert closed.status_code == 201
    assert closed.headers["location"] == f"{repository.at}/blobs/{named}"
    assert closed.headers["docker-content-digest"] == named
    assert repository.http.get(closed.headers["location"]).content == DATA


def test_an_upload_can_be_streamed(repository: Repository) -> None:
    """A PATCH without Content-Range and Content-Length appends whatever comes; several may follow."""
    upload = repository.open_upload()
    for start in (0, CHUNK):
        answer = repository.http.patch(upload, content=streamed(DATA[start : start + CHUNK]))
        assert standing(answer) == (202, upload, f"0-{start + CHUNK - 1}")
    assert repository.close(upload, digest(DATA[: 2 * CHUNK])).status_code == 201


def test_one_put_can_bring_everything(repository: Repository) -> None:
    """POST, then PUT with the whole blob: what oras and docker do."""
    assert repository.close(repository.open_upload(), digest(DATA), DATA).status_code == 201
    assert repository.get(f"blobs/{digest(DATA)}").content == DATA


def test_an_upload_of_nothing_is_an_empty_blob(repository: Repository) -> None:
    """Closing an untouched upload with the digest of zero bytes makes the empty blob."""
    assert repository.close(repository.open_upload(), digest(b"")).status_code == 201
    assert repository.get(f"blobs/{digest(b'')}").content == b""


@pytest.mark.parametrize("path", ["uploads", "uploads/"])
def test_an_upload_is_opened_with_or_without_the_slash(repository: Repository, path: str) -> None:
    """end-4a: 202 with a Location in this repository and the Range that stands for nothing; no redirect."""
    answer = repository.http.post(f"{repository.at}/blobs/{path}")
    assert (answer.status_code, answer.headers["range"]) == (202, "0-0")
    assert answer.headers["location"].startswith(f"{repository.at}/blobs/uploads/")
    assert answer.headers["content-length"] == "0"


def test_the_algorithm_can_be_announced(repository: Repository) -> None:
    """end-4c: a known algorithm is taken as a hint, another may still close it; an unknown one is 400."""
    upload = repository.open_upload(**{"digest-algorithm": "sha512"})
    repository.patch(upload, DATA, 0)
    assert repository.close(upload, digest(DATA, "blake3")).status_code == 201
    answer = repository.http.post(f"{repository.at}/blobs/uploads/", params={"digest-algorithm": "md5"})
    assert refused(answer) == (400, ["DIGEST_INVALID"])


def test_an_upload_says_how_far_it_is(repository: Repository) -> None:
    """end-13: 204 with Location and Range, `0-0` for none yet; a digest in the query is ignored."""
    upload = repository.open_upload()
    assert standing(repository.http.get(upload)) == (204, upload, "0-0")
    repository.patch(upload, DATA, 0)
    answer = repository.http.get(upload, params={"digest": "whatever"})
    assert standing(answer) == (204, upload, f"0-{len(DATA) - 1}")


@pytest.mark.parametrize("place", ["1024-2047", "5-1028", "bytes 0-1023/3072", "0-1023/*", "1023-0", "first"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_chunk_out_of_order_changes_nothing(repository: Repository, method: str, place: str) -> None:
    """416 with Location and Range for a gap and for a place that cannot be read, by PATCH and by PUT alike."""
    upload = repository.open_upload()
    wrong = DATA[CHUNK : 2 * CHUNK]
    query = {"digest": digest(DATA[:CHUNK])}
    answer = repository.http.request(method, upload, params=query, content=wrong, headers={"content-range": place})
    assert refused(answer) == (416, ["BLOB_UPLOAD_INVALID"])
    assert standing(answer) == (416, upload, "0-0")
    assert repository.patch(upload, DATA[:CHUNK], 0).status_code == 202
    assert repository.close(upload, digest(DATA[:CHUNK])).status_code == 201


def test_a_repeated_chunk_is_refused_with_where_to_go_on(repository: Repository) -> None:
    """A replayed PATCH is 416 and says what is there already, so that nothing is stored twice."""
    upload = repository.open_upload()
    repository.patch(upload, DATA[:CHUNK], 0)
    assert standing(repository.patch(upload, DATA[:CHUNK], 0)) == (416, upload, "0-1023")
    repository.patch(upload, DATA[CHUNK:], CHUNK)
    assert repository.close(upload, digest(DATA)).status_code == 201


def test_a_chunk_that_is_not_as_long_as_its_place_is_refused(repository: Repository) -> None:
    """Content-Range and the bytes differ: 400 SIZE_INVALID, with and without Content-Length, and the upload stands."""
    upload = repository.open_upload()
    for body in (DATA[:100], streamed(DATA[:100])):
        answer = repository.http.patch(upload, content=body, headers={"content-range": "0-1023"})
        assert refused(answer) == (400, ["SIZE_INVALID"])
    assert standing(repository.http.get(upload)) == (204, upload, "0-0")


def test_a_close_under_another_digest_ends_the_upload(repository: Repository) -> None:
    """400 DIGEST_INVALID, nothing is kept, and the upload is gone."""
    upload = repository.open_upload()
    repository.patch(upload, DATA, 0)
    assert refused(repository.close(upload, digest(b"other"))) == (400, ["DIGEST_INVALID"])
    assert refused(repository.http.get(upload)) == (404, ["BLOB_UPLOAD_UNKNOWN"])
    assert repository.get(f"blobs/{digest(DATA)}").status_code == 404


@pytest.mark.parametrize("named", ["", "sha256:short", "sha384:abc"])
def test_a_close_under_what_is_no_digest_leaves_the_upload(repository: Repository, named: str) -> None:
    """400 before a byte is read: the client may try again with a digest."""
    upload = repository.open_upload()
    repository.patch(upload, DATA, 0)
    assert refused(repository.close(upload, named)) == (400, ["DIGEST_INVALID"])
    assert refused(repository.http.put(upload)) == (400, ["DIGEST_INVALID"])
    assert repository.close(upload, digest(DATA)).status_code == 201


def test_an_upload_can_be_cancelled(repository: Repository) -> None:
    """end-14: 204, and every later request to it is 404."""
    upload = repository.open_upload()
    repository.patch(upload, DATA, 0)
    assert repository.http.delete(upload).status_code == 204
    for answer in (
        repository.http.get(upload),
        repository.http.delete(upload),
        repository.patch(upload, DATA, 0),
        repository.close(upload, digest(DATA)),
    ):
        assert refused(answer) == (404, ["BLOB_UPLOAD_UNKNOWN"])


def test_a_finished_upload_is_gone(repository: Repository) -> None:
    """After its 201 an upload is unknown."""
    upload = repository.open_upload()
    repository.close(upload, digest(DATA), DATA)
    assert refused(repository.http.get(upload)) == (404, ["BLOB_UPLOAD_UNKNOWN"])


def test_an_upload_belongs_to_its_repository(repository: Repository, other: Repository) -> None:
    """Its id under another name is unknown."""
    upload = repository.open_upload()
    elsewhere = upload.replace(f"{repository.at}/", f"{other.at}/")
    assert refused(repository.http.get(elsewhere)) == (404, ["BLOB_UPLOAD_UNKNOWN"])


@pytest.mark.parametrize("upload_id", ["unheard-of", "..", ".hidden", "a%00b", "%2e%2e%2fx", "x" * 300])
def test_no_id_leads_anywhere_else(repository: Repository, upload_id: str) -> None:
    """Whatever stands in the place of an id is unknown or no route; it never names a file."""
    for method in ("GET", "PATCH", "DELETE"):
        path = f"{repository.at}/blobs/uploads/{upload_id}"
        request = repository.http.build_request(method, httpx.URL(repository.http.base_url, raw_path=path.encode()))
        assert repository.http.send(request).status_code in (400, 404)


def test_too_many_open_uploads_are_refused(limited: Repository) -> None:
    """429 TOOMANYREQUESTS with Retry-After; a cancelled one makes room."""
    uploads = [limited.open_upload(), limited.open_upload()]
    answer = limited.http.post(f"{limited.at}/blobs/uploads/")
    assert refused(answer) == (429, ["TOOMANYREQUESTS"])
    assert answer.headers["retry-after"].isdigit()
    for upload in uploads:
        limited.http.delete(upload)
    assert limited.http.delete(limited.open_upload()).status_code == 204


def test_an_upload_over_the_limit_is_refused_and_stands(limited: Repository) -> None:
    """413 for the chunk that passes the limit; what was there before is still there."""
    upload = limited.open_upload()
    assert limited.patch(upload, b"a" * (100 << 10), 0).status_code == 202
    assert refused(limited.patch(upload, b"b")) == (413, ["SIZE_INVALID"])
    assert standing(limited.http.get(upload)) == (204, upload, "0-102399")
    assert limited.http.delete(upload).status_code == 204


@pytest.mark.parametrize("name", ["Upper", "a//b", "-a", "a_", "é", "a" * 256])
def test_no_upload_is_opened_under_a_name_that_is_none(http: httpx.Client, name: str) -> None:
    """400 NAME_INVALID."""
    assert refused(http.post(f"/v2/{name}/blobs/uploads/")) == (400, ["NAME_INVALID"])


def test_a_wrong_method_says_which_are_right(repository: Repository) -> None:
    """405 with Allow."""
    upload = repository.open_upload()
    answer = repository.http.post(upload)
    assert refused(answer) == (405, ["UNSUPPORTED"])
    assert answer.headers["allow"] == "GET, PATCH, PUT, DELETE"
    assert repository.get("blobs/uploads/").headers["allow"] == "POST"
