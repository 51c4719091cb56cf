"""The URL grammar of `/v2`: what each method and path ask for, and how what they cannot ask is refused."""

from __future__ import annotations

from typing import Any

import pytest

from artifactstore.api.http import oci_grammar
from artifactstore.api.http import oci_request as ask
from artifactstore.api.http.calls import parse_query
from artifactstore.api.http.oci import HANDLERS
from artifactstore.errors import (
    ArtifactStoreError,
    BlobUnknown,
    DigestInvalid,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    ParameterInvalid,
    ResourceUnknown,
    Unsupported,
)
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName, TagName

HEX = "0123456789abcdef" * 4
D = Digest("sha256", HEX)
LONG = Digest("sha512", HEX * 2)
N = RepositoryName("acme/reports")
T = TagName("v1")
AT = f"/v2/{N}"

ASKED: list[tuple[str, str, str, Any]] = [
    ("GET", "/v2/", "", ask.Ping()),
    ("GET", "/v2", "", ask.Ping()),
    ("HEAD", "/v2/", "", ask.Ping()),
    ("HEAD", f"{AT}/tags/list", "", ask.TagList(N, ask.Page())),
    ("GET", f"{AT}/blobs/{D}", "", ask.BlobGet(N, D)),
    ("HEAD", f"{AT}/blobs/{LONG}", "ns=docker.io", ask.BlobGet(N, LONG)),
    ("DELETE", f"{AT}/blobs/blake3:{HEX}", "", ask.BlobDelete(N, Digest("blake3", HEX))),
    ("POST", f"{AT}/blobs/uploads/", "", ask.UploadStart(N)),
    ("POST", f"{AT}/blobs/uploads", "", ask.UploadStart(N)),
    ("POST", f"{AT}/blobs/uploads/", "digest-algorithm=sha512", ask.UploadStart(N, "sha512")),
    ("POST", f"{AT}/blobs/uploads/", f"digest={D}", ask.BlobPush(N, D)),
    ("POST", f"{AT}/blobs/uploads/", f"digest=sha256%3A{HEX}", ask.BlobPush(N, D)),
    ("POST", f"{AT}/blobs/uploads/", f"mount={D}", ask.BlobMount(N, D, None)),
    ("POST", f"{AT}/blobs/uploads/", f"mount={D}&from=", ask.BlobMount(N, D, None)),
    ("POST", f"{AT}/blobs/uploads/", f"from=a%2Fb&mount={D}&digest=x", ask.BlobMount(N, D, RepositoryName("a/b"))),
    ("POST", f"{AT}/blobs/uploads/", f"mount={D}&from=localhost:5000/x", ask.UploadStart(N)),
    ("PATCH", f"{AT}/blobs/uploads/u1", "", ask.UploadAppend(N, "u1")),
    ("PUT", f"{AT}/blobs/uploads/u1", f"digest={D}", ask.UploadClose(N, "u1", D)),
    ("GET", f"{AT}/blobs/uploads/u1", "digest=anything", ask.UploadGet(N, "u1")),
    ("DELETE", f"{AT}/blobs/uploads/u1", "", ask.UploadCancel(N, "u1")),
    ("GET", f"{AT}/manifests/v1", "", ask.ManifestGet(N, T)),
    ("HEAD", f"{AT}/manifests/{D}", "", ask.ManifestGet(N, D)),
    ("PUT", f"{AT}/manifests/v1", "", ask.ManifestPut(N, T)),
    ("PUT", f"{AT}/manifests/{D}", "", ask.ManifestPut(N, D)),
    ("PUT", f"{AT}/manifests/{D}", "tag=v1&tag=v2", ask.ManifestPut(N, D, (T, TagName("v2")))),
    ("DELETE", f"{AT}/manifests/v1", "", ask.ManifestDelete(N, T)),
    ("DELETE", f"{AT}/manifests/{D}", "", ask.ManifestDelete(N, D)),
    ("GET", f"{AT}/tags/list", "", ask.TagList(N, ask.Page())),
    ("GET", f"{AT}/tags/list", "n=0&last=v1", ask.TagList(N, ask.Page(0, "v1"))),
    ("GET", f"{AT}/tags/list", "last=no+tag", ask.TagList(N, ask.Page(None, "no tag"))),
    ("GET", f"{AT}/referrers/{D}", "", ask.ReferrerList(N, D, (), 0, None)),
    ("GET", f"{AT}/referrers/{D}", "artifactType=", ask.ReferrerList(N, D, (), 0, None)),
    ("GET", f"{AT}/referrers/{D}", "artifactType=a%2Fb&n=5&after=7", ask.ReferrerList(N, D, ("a/b",), 7, 5)),
    (
        "GET",
        f"{AT}/referrers/{D}",
        "artifactType=a&artifactType=b&artifactType=a",
        ask.ReferrerList(N, D, ("a", "b"), 0, None),
    ),
    ("GET", f"{AT}/referrers/sha384:abc", "", ask.ReferrerList(N, Digest("sha384", "abc"), (), 0, None)),
    ("GET", "/v2/_oci/ext/discover", "", ask.Discover(None)),
    ("GET", f"{AT}/_oci/ext/discover", "", ask.Discover(N)),
    ("GET", f"{AT}/_oci/tag-history/v1", "", ask.TagHistory(N, T, None, None, None, None, None)),
    (
        "GET",
        f"{AT}/_oci/tag-history/v1",
        f"n=3&before=1970-01-01T00:00:02Z&since=1970-01-01T01:00:01%2B01:00&digest={D}&after=9",
        ask.TagHistory(N, T, 3, 2_000_000, 1_000_000, D, 9),
    ),
    ("GET", "/v2/_oci/repositories", "n=2", ask.RepositoryList(None, ask.Page(2))),
    ("GET", f"{AT}/_oci/repositories", "", ask.RepositoryList(N, ask.Page())),
    ("GET", "/v2/_catalog", "n=1&last=a", ask.Catalog(ask.Page(1, "a"))),
]

REFUSED: list[tuple[str, str, str, type[ArtifactStoreError]]] = [
    ("GET", "/v2/nowhere", "", ResourceUnknown),
    ("GET", "/v2//manifests/v1", "", NameInvalid),
    ("GET", "/v2/manifests/v1", "", ResourceUnknown),
    ("GET", f"{AT}/tags/other", "", ResourceUnknown),
    ("GET", f"{AT}/uploads/u1", "", ResourceUnknown),
    ("GET", f"{AT}/ext/discover", "", ResourceUnknown),
    ("GET", f"{AT}/tag-history/v1", "", ResourceUnknown),
    ("GET", "/v2/_oci/tag-history/v1", "", ResourceUnknown),
    ("GET", "/v1/acme/manifests/v1", "", ResourceUnknown),
    ("POST", f"{AT}/manifests/v1", "", Unsupported),
    ("GET", f"{AT}/blobs/uploads/", "", Unsupported),
    ("PUT", f"{AT}/blobs/{D}", "", Unsupported),
    ("OPTIONS", f"{AT}/tags/list", "", Unsupported),
    ("PUT", "/v2/Acme/manifests/v1", "", NameInvalid),
    ("POST", "/v2/acme\n/blobs/uploads/", "", NameInvalid),
    ("POST", f"/v2/{'a' * 256}/blobs/uploads/", "", NameInvalid),
    ("GET", f"{AT}/manifests/.INVALID_MANIFEST_NAME", "", ManifestUnknown),
    ("HEAD", f"{AT}/manifests/v1\n", "", ManifestUnknown),
    ("DELETE", f"{AT}/manifests/{'t' * 129}", "", ManifestUnknown),
    ("PUT", f"{AT}/manifests/.bad", "", ManifestInvalid),
    ("PUT", f"{AT}/manifests/{D}", "tag=ok&tag=-bad", ManifestInvalid),
    ("PUT", f"{AT}/manifests/v1", "tag=v2", ParameterInvalid),
    ("PUT", f"{AT}/manifests/sha256:baddigeststring", "", DigestInvalid),
    ("GET", f"{AT}/manifests/sha256:totallywrong", "", DigestInvalid),
    ("GET", f"{AT}/manifests/sha384:abc", "", ManifestUnknown),
    ("GET", f"{AT}/blobs/sha384:abc", "", BlobUnknown),
    ("GET", f"{AT}/blobs/latest", "", DigestInvalid),
    ("POST", f"{AT}/blobs/uploads/", "digest=sha384:abc", DigestInvalid),
    ("POST", f"{AT}/blobs/uploads/", "mount=", DigestInvalid),
    ("PUT", f"{AT}/blobs/uploads/u1", "", DigestInvalid),
    ("GET", f"{AT}/referrers/sha256:short", "", DigestInvalid),
    ("GET", f"{AT}/referrers/latest", "", DigestInvalid),
    ("GET", f"{AT}/tags/list", "n=-1", ParameterInvalid),
    ("GET", f"{AT}/tags/list", "n=", ParameterInvalid),
    ("GET", f"{AT}/tags/list", "n=" + "9" * 40, ParameterInvalid),
    ("GET", f"{AT}/tags/list", "n=٣", ParameterInvalid),
    ("GET", f"{AT}/_oci/tag-history/v1", "since=yesterday", ParameterInvalid),
]

WORDS = ("blobs", "manifests", "tags", "uploads", "list", "referrers", "ext")


def parse(method: str, path: str, query: str) -> ask.OciRequest:
    """What a request asks, its query as it stands in a URL."""
    return oci_grammar.parse(method, path, parse_query(query.encode()) if query.isascii() else [("n", query[2:])])


@pytest.mark.parametrize(("method", "path", "query", "asked"), ASKED)
def test_each_row_of_the_endpoint_table_is_read(method: str, path: str, query: str, asked: ask.OciRequest) -> None:
    """Method, path and query make exactly the request of their row."""
    assert parse(method, path, query) == asked


@pytest.mark.parametrize(("method", "path", "query", "refusal"), REFUSED)
def test_what_cannot_be_asked_is_refused_by_name(
    method: str, path: str, query: str, refusal: type[ArtifactStoreError]
) -> None:
    """Each way to ask wrongly has its error, of exactly that class."""
    with pytest.raises(refusal) as caught:
        parse(method, path, query)
    assert type(caught.value) is refusal


@pytest.mark.parametrize("first", WORDS)
@pytest.mark.parametrize("second", WORDS)
def test_repository_names_may_hold_the_words_of_routes(first: str, second: str) -> None:
    """Paths are read from the right, so `a/blobs/manifests` is a name like any other."""
    name = RepositoryName(f"{first}/{second}")
    assert parse("GET", f"/v2/{name}/manifests/list", "") == ask.ManifestGet(name, TagName("list"))
    assert parse("GET", f"/v2/{name}/tags/list", "") == ask.TagList(name, ask.Page())
    assert parse("POST", f"/v2/{name}/blobs/uploads/", "") == ask.UploadStart(name)
    assert parse("PATCH", f"/v2/{name}/blobs/uploads/tags", "") == ask.UploadAppend(name, "tags")
    assert parse("GET", f"/v2/{name}/blobs/{D}", "") == ask.BlobGet(name, D)


def test_the_first_value_of_a_parameter_counts() -> None:
    """A parameter given twice has its first value, as HTTP libraries read it."""
    assert parse("GET", f"{AT}/tags/list", "n=1&n=2") == ask.TagList(N, ask.Page(1))
    assert parse("POST", f"{AT}/blobs/uploads/", f"digest={D}&digest={LONG}") == ask.BlobPush(N, D)


def test_a_path_tells_the_methods_it_has() -> None:
    """What a 405 allows is what the path's table holds."""
    assert oci_grammar.allowed(f"{AT}/manifests/v1") == ("GET", "HEAD", "PUT", "DELETE")
    assert oci_grammar.allowed(f"{AT}/blobs/uploads/") == ("POST",)


def test_every_request_has_a_handler() -> None:
    """Whatever the grammar can make, the table of handlers knows."""
    made = {type(asked) for *_, asked in ASKED}
    assert made == set(HANDLERS) == set(ask.OciRequest.__args__)
