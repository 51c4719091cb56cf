"""The store behind a server, through its native API and the routes of OCI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from artifactstore.cli.stores import PAGE, Json
from artifactstore.client.http import Http
from artifactstore.errors import BackendUnavailable
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.identity.references import PackageName
from artifactstore.manifest.media_types import NATIVE_MEDIA_TYPE

POLL_SECONDS = 0.5
"""How often a follower that has everything asks for more."""


class ServerStore:
    """The Store of a server of ours."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def repositories(
        self, prefix: RepositoryName | None, *, holdings: bool = False, last: str = ""
    ) -> AsyncIterator[Json]:
        counted = "true" if holdings else None
        return self._listed("repositories", "repositories", prefix=prefix, holdings=counted, last=last or None)

    async def repository(self, name: RepositoryName) -> Json:
        return await self._json(f"repositories/{name}")

    def packages(
        self, repository: RepositoryName, *, tag: TagName | None, kind: str | None, everything: bool
    ) -> AsyncIterator[Json]:
        shown = "true" if everything else None
        return self._listed(
            "packages", "packages", repository=repository, tag=tag, kind=kind, members=shown, attachments=shown
        )

    async def tags(self, repository: RepositoryName, *, last: str = "") -> AsyncIterator[str]:
        path = f"/v2/{repository}/tags/list"
        while page := _list(await self._http.json(path, {"n": PAGE, "last": last}), "tags"):
            for tag in page:
                yield tag
            last = page[-1]

    async def package(self, name: PackageName) -> Json:
        return await self._json(f"packages/{name}")

    def files(self, name: PackageName) -> AsyncIterator[Json]:
        return self._listed(f"packages/{name}/files", "files")

    def referrers(self, name: PackageName) -> AsyncIterator[Json]:
        return self._listed(f"packages/{name}/referrers", "referrers")

    async def deletion(self, name: PackageName) -> Json:
        return await self._json(f"packages/{name}/deletion")

    async def native_manifest(self, name: PackageName) -> bytes:
        answer = await self._http.request(
            "GET", f"/api/v1/packages/{name}/manifest", headers={"accept": NATIVE_MEDIA_TYPE}
        )
        return answer.content

    async def events(self, after: int, repository: RepositoryName | None, *, follow: bool) -> AsyncIterator[Json]:
        where: dict[str, Any] = {"n": PAGE} if repository is None else {"n": PAGE, "repository": repository}
        end = None
        while True:
            page = await self._json("events", after=after, **where)
            for event in _list(page, "events"):
                yield _record(event)
            after, end = page["scanned"], page["head"] if end is None else end
            where["log"] = page["log_id"]
            if after >= page["head"] and follow:
                await asyncio.sleep(POLL_SECONDS)
            elif after >= end and not follow:
                return

    async def tag(self, name: PackageName, tag: TagName) -> str:
        """The manifest is pushed again as it is: its tags move and nothing else."""
        held = await self._http.request("GET", f"/v2/{name.repository}/manifests/{name.reference}")
        digest = str(Digest.parse(held.headers.get("docker-content-digest", "")))
        await self._http.request(
            "PUT",
            f"/v2/{name.repository}/manifests/{digest}",
            params={"tag": tag},
            headers={"content-type": held.headers.get("content-type", "")},
            content=held.content,
            expect=(201,),
        )
        return digest

    async def delete_tag(self, repository: RepositoryName, tag: TagName) -> None:
        await self._http.request("DELETE", f"/v2/{repository}/manifests/{tag}", expect=(202,))

    async def delete_package(self, repository: RepositoryName, digest: Digest) -> None:
        await self._http.request("DELETE", f"/v2/{repository}/manifests/{digest}", expect=(202,))

    async def delete_repository(self, name: RepositoryName) -> Json:
        # However large it is, the server answers once all of it is gone.
        answer = await self._http.request("DELETE", f"/api/v1/repositories/{name}", silence=None)
        return _record(_parsed(answer.content))

    async def _listed(self, path: str, key: str, **conditions: str | None) -> AsyncIterator[Json]:
        given = {name: value for name, value in conditions.items() if value is not None}
        async for entry in self._http.pages(f"/api/v1/{path}", key, {"n": PAGE, **given}):
            yield _record(entry)

    async def _json(self, path: str, **params: str | int) -> Json:
        return _record(await self._http.json(f"/api/v1/{path}", params))


class _Record(Json):
    """A JSON object of a server; what it lacks is the server's fault and no mistake of ours."""

    def __missing__(self, key: str) -> Any:
        raise _strange(key)


def _record(value: object) -> Json:
    return _Record(value if isinstance(value, dict) else {})


def _list(value: object, key: str) -> list[Any]:
    found = _record(value)[key]
    if not isinstance(found, list):
        raise _strange(key)
    return found


def _strange(key: str) -> BackendUnavailable:
    return BackendUnavailable(f"the server's answer has no {key}: is it a server of artifactstore?")


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
