"""The mistakes that break clients: each was measured on some registry, and is not made here."""

from __future__ import annotations

import httpx
import pytest

from tests.http.oci_client import INDEX, MANIFEST, Repository, descriptor, digest, image, streamed

WIDE = {"accept-encoding": "gzip, deflate, br, zstd"}


@pytest.fixture
def pushed(repository: Repository) -> Repository:
    """A repository with the tag `v1` on a manifest that refers to `subject`."""
    repository.push("v1", image(subject=descriptor(b"subject", MANIFEST), annotations={"pad": "x" * 10_000}))
    return repository


def paths(repository: Repository) -> list[str]:
    """One address of each kind that has a body."""
    named = digest(b"{}")
    kinds = ["manifests/v1", f"blobs/{named}", "tags/list", f"referrers/{digest(b'subject')}", "_oci/tag-history/v1"]
    return ["/v2/", "/v2/_catalog", *(f"{repository.at}/{kind}" for kind in kinds), f"{repository.at}/manifests/none"]


def test_nothing_is_compressed_in_transit(pushed: Repository) -> None:
    """A compressed answer has no Content-Length, and its digest is not the one that was asked for."""
    for path in paths(pushed):
        answer = pushed.http.get(path, headers=WIDE)
        assert "content-encoding" not in answer.headers
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_no_charset_is_put_behind_a_media_type(pushed: Repository) -> None:
    """oras and notation see no referrers behind `; charset=utf-8`, crane warns of manifests."""
    for path in paths(pushed):
        assert ";" not in pushed.http.get(path).headers["content-type"]
    assert pushed.get("manifests/v1").headers["content-type"] == MANIFEST
    assert pushed.get(f"referrers/{digest(b'subject')}").headers["content-type"] == INDEX


def test_head_says_the_length(pushed: Repository) -> None:
    """Clients take a HEAD without Content-Length for a blob of -1 bytes."""
    for path in paths(pushed):
        head, get = pushed.http.head(path), pushed.http.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


def test_the_digest_header_is_everywhere(pushed: Repository) -> None:
    """On GET and HEAD of manifests and blobs and on what 201 says was stored; with the algorithm that was asked for."""
    for algorithm in ("sha256", "sha512"):
        body = image(annotations={"by": algorithm})
        named = digest(body, algorithm)
        assert pushed.put(named, body, tag=algorithm).headers["docker-content-digest"] == named
        for reference in (named, algorithm):
            path = f"{pushed.at}/manifests/{reference}"
            for answer in (pushed.http.get(path), pushed.http.head(path)):
                assert answer.headers["docker-content-digest"] == named


def test_no_length_is_required(repository: Repository) -> None:
    """Manifests and blobs come in chunked transfer coding too, the empty blob among them; 411 is never answered."""
    repository.push_blob(b"{}")
    assert repository.put("v1", streamed(image())).status_code == 201
    upload = repository.open_upload()
    answer = repository.http.put(upload, params={"digest": digest(b"")}, content=streamed(b""))
    assert answer.status_code == 201


def test_an_empty_session_has_a_range(repository: Repository) -> None:
    """Range on 204 also when nothing came yet, never `0--1`."""
    assert repository.http.get(repository.open_upload()).headers["range"] == "0-0"


def test_a_range_shows_the_whole_upload(repository: Repository) -> None:
    """`0-<last>` of everything so far, not of the last chunk, without a unit."""
    upload = repository.open_upload()
    repository.patch(upload, b"a" * 10, 0)
    assert repository.patch(upload, b"b" * 10, 10).headers["range"] == "0-19"


def test_locations_are_paths_of_this_server(repository: Repository) -> None:
    """No scheme and no host, which would be wrong behind a proxy; Links too."""
    repository.push(digest(image()), image(), tag=["a", "b"])
    assert repository.open_upload().startswith("/v2/")
    assert repository.put("c", image()).headers["location"].startswith("/v2/")
    assert repository.get("tags/list", n=1).headers["link"].startswith("</v2/")


@pytest.mark.parametrize("path", ["/v2", "/v2/test/slashes/blobs/uploads"])
def test_a_missing_slash_is_not_redirected(http: httpx.Client, path: str) -> None:
    """A redirect would lose bodies and credentials."""
    answer = http.request("GET" if path == "/v2" else "POST", path)
    assert answer.status_code in (200, 202)


def test_referrers_are_never_404(http: httpx.Client) -> None:
    """404 makes clients write fallback tags for good."""
    assert http.get(f"/v2/test/never-was/referrers/{digest(b'x')}").status_code == 200


def test_a_referrer_has_no_annotations_of_ours(pushed: Repository) -> None:
    """Its descriptor carries the manifest's annotations and nothing else."""
    (found,) = pushed.get(f"referrers/{digest(b'subject')}").json()["manifests"]
    assert set(found["annotations"]) == {"pad"}


def test_a_fallback_tag_is_a_tag(repository: Repository) -> None:
    """`sha256-<hex>` names what was pushed under it, never the digest it is made of."""
    named = repository.push("v1", image())
    tag = named.replace(":", "-")
    assert repository.get(f"manifests/{tag}").status_code == 404
    repository.push(tag, image(annotations={"is": "the fallback"}))
    assert repository.get(f"manifests/{tag}").headers["docker-content-digest"] != named


def test_a_digest_works_without_a_tag(repository: Repository) -> None:
    """A manifest whose tags are gone is still there by digest."""
    named = repository.push("v1", image())
    repository.http.delete(f"{repository.at}/manifests/v1")
    assert repository.get(f"manifests/{named}").status_code == 200


def test_browsers_are_told_not_to_guess(pushed: Repository) -> None:
    """Stored bytes are octets, and nosniff goes with every answer."""
    for path in [*paths(pushed), "/nowhere", "/health/live"]:
        assert pushed.http.get(path).headers["x-content-type-options"] == "nosniff"
    blob = pushed.http.get(f"{pushed.at}/blobs/{digest(b'{}')}")
    assert blob.headers["content-type"] == "application/octet-stream"


def test_what_is_no_route_is_a_problem(http: httpx.Client) -> None:
    """Outside of `/v2` unknown paths and wrong methods get problem details (RFC 9457)."""
    for method, path, status, code in (
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/v2x", 404, "NOT_FOUND"),
        ("GET", "/v3/", 404, "NOT_FOUND"),
        ("DELETE", "/health/live", 405, "UNSUPPORTED"),
    ):
        answer = http.request(method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == (status, code)
