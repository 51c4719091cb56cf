from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.http.native_store import Store, opened


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    """A store with three repositories."""
    async with opened() as filled:
        await filled.package("acme", {"a": b"alpha"}, "v1")
        await filled.package("acme/reports", {"a": b"alpha", "b": b"beta"}, "v1", "v2")
        await filled.package("acme2", {"a": b"alpha"})
        yield filled


async def test_prefix_takes_whole_segments(store: Store) -> None:
    """`prefix` lists a repository and those under it, and pages within them."""
    first = await store.json("/api/v1/repositories?prefix=acme&n=1")
    assert [row["name"] for row in first["repositories"]] == ["acme"]
    second = await store.json(first["next"])
    assert ([row["name"] for row in second["repositories"]], second["next"]) == (["acme/reports"], None)


async def test_holdings_are_counted_when_asked_for(store: Store) -> None:
    """A list counts what each repository holds with `holdings=true`, as the repository's own address does."""
    listed = (await store.json("/api/v1/repositories?holdings=true"))["repositories"]
    assert [(row["packages"], row["tags"], row["blobs"]) for row in listed] == [(1, 1, 2), (1, 2, 3), (1, 0, 2)]
    for row in listed:
        assert await store.json(f"/api/v1/repositories/{row['name']}") == row
    plain = (await store.json("/api/v1/repositories"))["repositories"]
    assert [set(row) for row in plain] == [{"name", "tenant", "created_at", "created_sequence"}] * 3


async def test_deletion_answers_with_what_went(store: Store) -> None:
    """DELETE takes the repository away, says what went with it, and finds nothing the second time."""
    gone = await store.client.delete("/api/v1/repositories/acme/reports")
    assert (gone.status_code, gone.json()) == (200, {"name": "acme/reports", "packages": 1, "tags": 2, "blobs": 3})
    for request in (store.client.delete, store.client.get):
        again = await request("/api/v1/repositories/acme/reports")
        assert (again.status_code, again.json()["code"]) == (404, "NAME_UNKNOWN")
    assert (await store.json("/api/v1/packages/acme:v1"))["tags"] == ["v1"]


@pytest.mark.parametrize(("path", "status"), [("A", 400), ("acme/", 400), ("acme?dry_run=true", 400), ("none", 404)])
async def test_mistakes_delete_nothing(store: Store, path: str, status: int) -> None:
    """A name that is none and a parameter that is not known are refused before anything is touched."""
    assert (await store.client.delete(f"/api/v1/repositories/{path}")).status_code == status
    assert len((await store.json("/api/v1/repositories"))["repositories"]) == 3


async def test_methods_are_those_offered(store: Store) -> None:
    """Another method is answered with those that there are."""
    refused = await store.client.put("/api/v1/repositories/acme")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, DELETE")


def test_deletion_can_be_switched_off(limited_http: httpx.Client) -> None:
    """Where nothing may be deleted a repository may not either, and the answer names the methods that are left."""
    refused = limited_http.delete("/api/v1/repositories/any")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert refused.json()["code"] == "UNSUPPORTED"
