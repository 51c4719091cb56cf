"""Lists over HTTP: tags (end-8), referrers (end-12), repositories, tag history and what is offered beyond the spec."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.http.oci_client import ALGORITHMS, INDEX, MANIFEST, Repository, descriptor, digest, image, index, refused

TAGS = sorted(["v1", "v10", "v2", "V1", "_x", "a.b", "z-9", "0"])
SBOM, SIGNATURE = "application/vnd.example.sbom", "application/vnd.example.signature"


@pytest.fixture
def tagged(repository: Repository) -> Repository:
    """A repository with TAGS on one manifest."""
    repository.push(digest(image()), image(), tag=TAGS)
    return repository


def followed(http: httpx.Client, first: str) -> list[httpx.Response]:
    """A list's pages, from one Link to the next."""
    answers = [http.get(first)]
    while "next" in answers[-1].links:
        assert len(answers) < 100
        answers.append(http.get(answers[-1].links["next"]["url"]))
    return answers


def test_tags_come_in_byte_order(tagged: Repository) -> None:
    """All at once, capitals before underscore before small letters, with no Link."""
    answer = tagged.get("tags/list")
    assert answer.json() == {"name": tagged.name, "tags": TAGS}
    assert answer.headers["content-type"] == "application/json"
    assert "link" not in answer.headers


@pytest.mark.parametrize("last", [*TAGS, "", "v", "zz", "not a tag/é"])
def test_last_is_exclusive_and_need_not_exist(tagged: Repository, last: str) -> None:
    """Everything after `last`, compared as text, in one answer; with `n` as many of these."""
    after = [tag for tag in TAGS if tag > last]
    assert tagged.get("tags/list", last=last).json()["tags"] == after
    assert tagged.get("tags/list", last=last, n=2).json()["tags"] == after[:2]


@pytest.mark.parametrize("size", [1, 3, 7, 8, 9, 10**17])
def test_pages_of_n_are_followed_by_link(tagged: Repository, size: int) -> None:
    """Each page but the last has exactly `n`, and the pages together are the list."""
    answers = followed(tagged.http, f"{tagged.at}/tags/list?n={size}")
    pages = [answer.json()["tags"] for answer in answers]
    assert list(chain(*pages)) == TAGS
    assert all(len(page) == size for page in pages[:-1])
    assert all(pages)


def test_a_page_of_nothing_has_no_next(tagged: Repository) -> None:
    """`n=0` asks for an empty list, which leads nowhere."""
    answer = tagged.get("tags/list", n=0)
    assert answer.json()["tags"] == []
    assert "link" not in answer.headers


@pytest.mark.parametrize("size", ["-1", "x", "", "1e3", "²"])
def test_an_n_that_is_no_number_is_refused(tagged: Repository, size: str) -> None:
    """400."""
    assert refused(tagged.get("tags/list", n=size)) == (400, ["UNSUPPORTED"])


def test_a_page_is_never_larger_than_the_limit(limited: Repository) -> None:
    """With more tags than a page may have, also a list without `n` goes on by Link."""
    body = image()
    for start in range(0, 250, 10):
        limited.push(digest(body), body, tag=[f"t{number:03}" for number in range(start, start + 10)])
    answers = followed(limited.http, f"{limited.at}/tags/list")
    assert [len(answer.json()["tags"]) for answer in answers] == [100, 100, 50]
    assert len(limited.get("tags/list", n=200).json()["tags"]) == 100


def test_a_list_of_an_unknown_repository_is_404(http: httpx.Client, repository: Repository) -> None:
    """Unknown by name; a repository that holds blobs only is known and has no tags."""
    assert refused(http.get("/v2/test/never/tags/list")) == (404, ["NAME_UNKNOWN"])
    repository.push_blob(b"x")
    assert repository.tags() == []


def attached(repository: Repository, kind: str, subject: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Push a referrer of a type; the descriptor that lists should have of it."""
    body = image(artifactType=kind, subject=subject, **more)
    repository.push(digest(body), body)
    annotations = {"annotations": more["annotations"]} if "annotations" in more else {}
    return descriptor(body, MANIFEST, artifactType=kind, **annotations)


def test_referrers_are_listed_with_type_and_annotations(repository: Repository) -> None:
    """end-12a: an index of descriptors; artifactType falls back to the config's, an index without one omits it."""
    subject = descriptor(image(), MANIFEST)
    expected = [attached(repository, SBOM, subject, annotations={"made.by": "mé"})]
    plain = image(subject=subject)
    repository.push("plain", plain)
    expected.append(descriptor(plain, MANIFEST, artifactType="application/vnd.oci.empty.v1+json"))
    listing = index(subject=subject)
    repository.push("listing", listing, INDEX)
    expected.append(descriptor(listing, INDEX))
    answer = repository.get(f"referrers/{subject['digest']}")
    assert answer.headers["content-type"] == INDEX
    assert answer.json() == {"schemaVersion": 2, "mediaType": INDEX, "manifests": expected}
    assert "oci-filters-applied" not in answer.headers


def test_referrers_can_be_filtered_by_type(repository: Repository) -> None:
    """end-12b: only those of the type, and the header says that the filter was applied; an empty one is none."""
    subject = descriptor(image(), MANIFEST)
    sbom = attached(repository, SBOM, subject)
    attached(repository, SIGNATURE, subject)
    answer = repository.get(f"referrers/{subject['digest']}", artifactType=SBOM)
    assert answer.json()["manifests"] == [sbom]
    assert answer.headers["oci-filters-applied"] == "artifactType"
    assert repository.get(f"referrers/{subject['digest']}", artifactType="none/such").json()["manifests"] == []
    assert len(repository.get(f"referrers/{subject['digest']}", artifactType="").json()["manifests"]) == 2


def test_referrers_are_known_by_every_digest_of_the_subject(repository: Repository) -> None:
    """A subject named by sha256 has its referrers under its sha512 and blake3 digests too, once it is there."""
    body = image(annotations={"pushed": "nowhere before"})
    found = attached(repository, SBOM, descriptor(body, MANIFEST))
    assert repository.get(f"referrers/{digest(body, 'blake3')}").json()["manifests"] == []
    repository.push("subject", body)
    for algorithm in ALGORITHMS:
        assert repository.get(f"referrers/{digest(body, algorithm)}").json()["manifests"] == [found]


def test_referrers_of_what_was_never_heard_of_are_none(http: httpx.Client, repository: Repository) -> None:
    """200 and an empty index for an unknown repository, digest or algorithm; 400 for what is no digest."""
    repository.push_blob(b"{}")
    for path in ("/v2/test/never/referrers/", f"{repository.at}/referrers/"):
        for named in (digest(b"never"), "sha384:abc"):
            answer = http.get(path + named)
            assert (answer.status_code, answer.json()["manifests"]) == (200, [])
        assert refused(http.get(path + "sha256:short")) == (400, ["DIGEST_INVALID"])


def test_deleted_referrers_are_no_longer_listed(repository: Repository) -> None:
    """The list follows a deletion at once."""
    subject = descriptor(image(), MANIFEST)
    found = attached(repository, SBOM, subject)
    repository.http.delete(f"{repository.at}/manifests/{found['digest']}")
    assert repository.get(f"referrers/{subject['digest']}").json()["manifests"] == []


@pytest.mark.parametrize("query", ["", "&artifactType=" + quote(SBOM, safe="")])
def test_referrers_come_in_pages(repository: Repository, query: str) -> None:
    """`n` bounds a page, Link leads on, and the pages hold each referrer once."""
    subject = descriptor(image(), MANIFEST)
    wanted = [attached(repository, SBOM, subject, annotations={"n": str(n)})["digest"] for n in range(40)]
    answers = followed(repository.http, f"{repository.at}/referrers/{subject['digest']}?n=7{query}")
    pages = [[found["digest"] for found in answer.json()["manifests"]] for answer in answers]
    assert list(chain(*pages)) == wanted
    assert [len(page) for page in pages] == [7, 7, 7, 7, 7, 5]
    assert len(repository.get(f"referrers/{subject['digest']}").json()["manifests"]) == 40


def test_a_page_of_referrers_is_smaller_than_a_manifest_may_be(repository: Repository) -> None:
    """Annotations as large as they may be do not make an index that clients refuse to read (4 MiB)."""
    subject = descriptor(image(), MANIFEST)
    for number in range(5):
        attached(repository, SBOM, subject, annotations={"n": str(number), "pad": "x" * 1_200_000})
    answers = followed(repository.http, f"{repository.at}/referrers/{subject['digest']}")
    assert sum(len(answer.json()["manifests"]) for answer in answers) == 5
    assert len(answers) == 2
    assert max(len(answer.content) for answer in answers) < 4 << 20


def test_repositories_are_listed_in_byte_order(http: httpx.Client) -> None:
    """`_catalog` and `_oci/repositories` list names in pages; under a name those at and below it, by whole segments."""
    names = [f"listing/{name}" for name in ("a", "a-b", "a/b", "a/b/c", "a.b", "a0", "b")]
    for name in names:
        Repository(http, name).push_blob(b"x")
    every = http.get("/v2/_catalog").json()["repositories"]
    assert every == sorted(every)
    assert [name for name in every if name.startswith("listing/")] == sorted(names)
    pages = followed(http, "/v2/_catalog?n=3&last=listing")
    assert [name for page in pages for name in page.json()["repositories"]] == [n for n in every if n > "listing"]
    under = http.get("/v2/listing/a/_oci/repositories")
    assert under.json() == [{"name": name} for name in ("listing/a", "listing/a/b", "listing/a/b/c")]
    pages = followed(http, "/v2/listing/_oci/repositories?n=2")
    assert [row["name"] for page in pages for row in page.json()] == sorted(names)
    assert http.get("/v2/_oci/repositories").json() == [{"name": name} for name in every]
    assert http.get("/v2/never/_oci/repositories").json() == []


def changes(answer: httpx.Response) -> list[tuple[str, str]]:
    """Event and digest of each entry of a tag's history."""
    assert answer.headers["content-type"] == INDEX
    prefix = "org.opencontainers.distribution.tag."
    return [(entry["annotations"][f"{prefix}event"], entry["digest"]) for entry in answer.json()["manifests"]]


def test_a_tag_has_a_history(repository: Repository) -> None:
    """Newest first, with the digest, type and size of what it named, and when; deletions are part of it."""
    first, second = image(annotations={"n": "1"}), image(annotations={"n": "2"})
    one, two = repository.push("v", first), repository.push("v", second)
    repository.http.delete(f"{repository.at}/manifests/v")
    answer = repository.get("_oci/tag-history/v")
    assert changes(answer) == [("deleted", two), ("created", two), ("created", one)]
    entry = answer.json()["manifests"][2]
    assert (entry["mediaType"], entry["size"]) == (MANIFEST, len(first))
    times = [
        entry["annotations"]["org.opencontainers.distribution.tag.timestamp"] for entry in answer.json()["manifests"]
    ]
    assert times == sorted(times, reverse=True)
    pages = followed(repository.http, f"{repository.at}/_oci/tag-history/v?n=2")
    assert [len(changes(page)) for page in pages] == [2, 1]
    assert changes(repository.get("_oci/tag-history/v", digest=digest(first, "blake3"))) == [("created", one)]
    assert changes(repository.get("_oci/tag-history/v", since=times[1])) == changes(answer)[:2]
    assert changes(repository.get("_oci/tag-history/v", before=times[1])) == [("created", one)]


def test_the_history_outlives_the_manifest(repository: Repository) -> None:
    """A deleted manifest ends its tags; what they named keeps its digest and size, its type is no longer known."""
    body = image()
    named = repository.push("v", body)
    repository.http.delete(f"{repository.at}/manifests/{named}")
    answer = repository.get("_oci/tag-history/v")
    assert changes(answer) == [("deleted", named), ("created", named)]
    assert {entry["size"] for entry in answer.json()["manifests"]} == {len(body)}


def test_the_history_of_what_never_was_is_empty(http: httpx.Client) -> None:
    """200 and no entries for an unknown repository or tag; a time that is none is refused."""
    assert changes(http.get("/v2/test/never/_oci/tag-history/v1")) == []
    assert refused(http.get("/v2/test/never/_oci/tag-history/v1", params={"since": "noon"}))[0] == 400


@pytest.mark.parametrize("path", ["/v2/_oci/ext/discover", "/v2/any/name/_oci/ext/discover"])
def test_extensions_can_be_discovered(http: httpx.Client, path: str) -> None:
    """Each has a name, an address, a description and its endpoints, under the registry and under a repository."""
    (extension,) = http.get(path).json()["extensions"]
    assert extension["name"] == "_oci"
    assert set(extension) == {"name", "url", "description", "endpoints"}
    assert "_oci/tag-history" in extension["endpoints"]


def test_the_ping_answers(http: httpx.Client) -> None:
    """end-1, with and without the slash, and the version header that old docker clients look for."""
    for path in ("/v2/", "/v2"):
        answer = http.get(path)
        assert (answer.status_code, json.loads(answer.content)) == (200, {})
        assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    assert refused(http.get("/v2/nowhere")) == (404, ["UNSUPPORTED"])
