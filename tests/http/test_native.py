from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName, TagName
from tests.http.native_store import OCI_INDEX, START, Store, opened, subject

REPORT: dict[str | None, bytes] = {"a.txt": b"alpha", "sub/b.txt": b"beta"}


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    """An empty store."""
    async with opened() as empty:
        yield empty


async def test_repositories_are_listed_in_byte_order_and_page(store: Store) -> None:
    """Repositories come in byte order, with the time and sequence of their first fact, page after page."""
    for name in ("b/two", "a/one", "a"):
        await store.blob(name, b"x")
    first = await store.json("/api/v1/repositories?n=2")
    assert [row["name"] for row in first["repositories"]] == ["a", "a/one"]
    assert first["next"] == "/api/v1/repositories?n=2&last=a%2Fone"
    second = await store.json(first["next"])
    assert second["next"] is None
    assert [(row["name"], row["tenant"]) for row in second["repositories"]] == [("b/two", "b")]
    assert second["repositories"][0]["created_sequence"] == 2


async def test_package_is_described(store: Store) -> None:
    """A package shows its digests, tags, kind, metadata, times, files and retention."""
    digest = await store.package("acme/reports", REPORT, "v1", "latest", annotations={"team": "quality"})
    found = await store.json("/api/v1/packages/acme/reports:v1")
    assert found["repository"] == "acme/reports"
    assert found["digest"] == found["digests"]["sha256"] == digest
    assert found["content_address"] == found["digests"]["blake3"]
    assert found["kind"] == found["artifact_type"] == "application/vnd.example.report"
    assert (found["role"], found["origin"], found["pushed_by"]) == ("package", "oci", "anonymous")
    assert (found["tags"], found["tags_truncated"]) == (["latest", "v1"], False)
    assert found["metadata"] == {"team": "quality"}
    assert (found["file_count"], found["files_size"]) == (2, 9)
    assert found["retention"]["class"] == "standard"
    assert found["retention"]["since"] == found["pushed_at"]
    assert found["pushed_at"].startswith("2025-11-21T01:5")
    assert found["pushed_at"].endswith(f".{START % 1_000_000}Z")


async def test_package_is_found_by_every_name(store: Store) -> None:
    """A tag, either digest of the OCI manifest and the digest of the native manifest name the same package."""
    await store.package("acme/reports", REPORT, "v1")
    found = await store.json("/api/v1/packages/acme/reports:v1")
    for digest in (found["digest"], found["content_address"], found["manifest_digest"]):
        assert await store.json(f"/api/v1/packages/acme/reports@{digest}") == found
        listed = await store.json(f"/api/v1/packages?digest={digest}")
        assert listed == {"packages": [found], "next": None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["two", "one"]),
        ("?repository=a/x", ["one"]),
        ("?tag=two", ["two"]),
        ("?kind=application/vnd.other", ["two"]),
        ("?repository=a/x&kind=application/vnd.other", []),
        ("?attachments=true", ["signature", "two", "one"]),
        ("?members=true", ["two", "one"]),
    ],
)
async def test_packages_are_filtered(store: Store, query: str, expected: list[str]) -> None:
    """Every condition narrows the list, which is newest first and leaves signatures out unless they are asked for."""
    one = await store.package("a/x", REPORT, "one")
    await store.package("b/y", REPORT, "two", artifactType="application/vnd.other")
    signature = "application/vnd.dev.cosign.artifact.sig.v1+json"
    await store.package("a/x", {None: b"s"}, "signature", artifactType=signature, subject=subject(one))
    found = await store.json(f"/api/v1/packages{query}")
    assert [package["tags"][0] for package in found["packages"]] == expected


async def test_packages_page_newest_first(store: Store) -> None:
    """Following `next` shows each package once, newest first, and the Link header says the same address."""
    pushed = [await store.package("a/x", {"n": b"%d" % number}) for number in range(5)]
    seen, address = [], "/api/v1/packages?repository=a/x&n=2"
    while address:
        response = await store.get(address)
        page = response.json()
        seen += [package["digest"] for package in page["packages"]]
        address = page["next"]
        assert response.headers.get("link") == (f'<{address}>; rel="next"' if address else None)
    assert seen == pushed[::-1]


async def test_deletion_is_told_before(store: Store) -> None:
    """What a package's deletion would take is told: its tags, its own bytes; and the members of an index that stay."""
    one = await store.package("a/x", {"a": b"alpha", "b": b"beta"}, "v1", "v2")
    await store.package("a/x", {"a": b"alpha"}, "other")
    size = (await store.json("/api/v1/packages/a/x:v1"))["size"]
    told = {"repository": "a/x", "digest": one, "tags": ["v1", "v2"], "tag_count": 2, "members": []}
    assert await store.json("/api/v1/packages/a/x:v1/deletion") == told | {"size": size + len(b"beta")}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [subject(one, size), subject(one, size)]}
    top = await store.manifest("a/x", index)
    assert (await store.json(f"/api/v1/packages/a/x@{top}/deletion"))["members"] == [one]
    assert (await store.get("/api/v1/packages/a/x:none/deletion")).status_code == 404


async def test_deletion_names_the_first_hundred_tags(store: Store) -> None:
    """However many tags a package has, they are counted, and the first hundred named."""
    await store.package("a/x", {"a": b"alpha"}, *(f"v{number:03}" for number in range(100)))
    for number in (100, 101):
        await store.registry.tag(ANONYMOUS, RepositoryName("a/x"), TagName(f"v{number:03}"), TagName("v000"))
    told = await store.json("/api/v1/packages/a/x:v000/deletion")
    assert (told["tag_count"], len(told["tags"]), told["tags"][-1]) == (102, 100, "v099")


async def test_members_of_an_index_are_shown_when_asked_for(store: Store) -> None:
    """A list hides what an index of its repository lists, and `members=true` shows it."""
    member = await store.package("a/x", REPORT)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    size = (await store.json(f"/api/v1/packages/a/x@{member}"))["size"]
    top = await store.manifest("a/x", {**index, "manifests": [subject(member, size)]}, "all")
    hidden = await store.json("/api/v1/packages")
    shown = await store.json("/api/v1/packages?members=true")
    assert [package["digest"] for package in hidden["packages"]] == [top]
    assert [package["digest"] for package in shown["packages"]] == [top, member]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/packages/none/here:v1", 404, "NAME_UNKNOWN"),
        ("/api/v1/packages/a/x:none", 404, "MANIFEST_UNKNOWN"),
        ("/api/v1/packages/a/x@sha256:" + "0" * 64, 404, "MANIFEST_UNKNOWN"),
        ("/api/v1/packages/a/x@sha256:beef", 400, "DIGEST_INVALID"),
        ("/api/v1/packages/A/x:v1", 400, "NAME_INVALID"),
        ("/api/v1/packages/a/x:-bad", 400, "NAME_INVALID"),
        ("/api/v1/packages/a/x:v1/files/none", 404, "FILE_UNKNOWN"),
        ("/api/v1/packages/a/x:v1/other", 404, "NOT_FOUND"),
        ("/api/v1/packages/a/x", 404, "NOT_FOUND"),
        ("/api/v1/manifests/blake3:" + "0" * 64, 404, "MANIFEST_UNKNOWN"),
        ("/api/v1/manifests/sha256:" + "0" * 64, 400, "DIGEST_INVALID"),
        ("/api/v1", 404, "NOT_FOUND"),
    ],
)
async def test_what_is_not_there_is_a_problem(store: Store, path: str, status: int, code: str) -> None:
    """What cannot be found or read is answered with problem details that hold the stable code."""
    await store.package("a/x", REPORT, "v1")
    response = await store.get(path)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("n=0", "n"),
        ("n=1001", "n"),
        ("n=many", "n"),
        ("n=", "n"),
        ("n=%D9%A1", "n"),
        ("n=1&n=2", "n"),
        ("cursor=-1", "cursor"),
        ("cursor=99999999999999999999", "cursor"),
        ("repository=UPPER", "repository"),
        ("tag=-x", "tag"),
        ("digest=sha256:1", "digest"),
        ("members=yes", "members"),
        ("repositry=a", "repositry"),
    ],
)
async def test_bad_parameters_are_named(store: Store, query: str, name: str) -> None:
    """A parameter that makes no sense, comes twice or is unknown is 400 PARAMETER_INVALID with its name."""
    response = await store.get(f"/api/v1/packages?{query}")
    problem = response.json()
    assert (response.status_code, problem["code"]) == (400, "PARAMETER_INVALID")
    assert problem["errors"]["parameter"] == name


async def test_other_methods_are_refused(store: Store) -> None:
    """A method that is not offered is 405 with the methods that are."""
    response = await store.client.post("/api/v1/packages")
    assert (response.status_code, response.json()["code"]) == (405, "UNSUPPORTED")
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/repositories",
        "/api/v1/packages",
        "/api/v1/packages/a/x:v1",
        "/api/v1/packages/a/x:v1/manifest",
        "/api/v1/packages/a/x:v1/files",
        "/api/v1/packages/a/x:v1/files/a.txt",
        "/api/v1/packages/a/x:v1/referrers",
        "/api/v1/events",
        "/api/v1/openapi.json",
        "/health/live",
    ],
)
async def test_head_answers_like_get_without_a_body(store: Store, path: str) -> None:
    """HEAD has the status and headers of GET, and no body."""
    await store.package("a/x", REPORT, "v1")
    got, head = await store.get(path), await store.client.head(path)
    assert (head.status_code, head.headers, head.content) == (200, got.headers, b"")


async def test_digests_of_every_algorithm_are_shown(store: Store) -> None:
    """A package pushed under sha512 answers with that digest, and is known by the others too."""
    digest = await store.package("a/x", REPORT, "v1", algorithm="sha512")
    found = await store.json("/api/v1/packages/a/x:v1")
    assert found["digest"] == found["digests"]["sha512"] == digest
    assert set(found["digests"]) == {"blake3", "sha256", "sha512"}
