"""Any registry as one end of a copy: connections that break, registries of yesterday, and those that want a login."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from artifactstore import bootstrap, errors
from artifactstore.client.auth import Challenge, RegistryAuthorizer
from artifactstore.client.credentials import Login, find_login
from artifactstore.client.http import Http
from artifactstore.client.registry import RemoteRepository
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.manifest.referrer_tags import fallback_tag
from artifactstore.registry.registry import Registry
from artifactstore.transfer import Amounts, Content, LocalRepository, Root, copy, roots_of
from artifactstore.transfer.spi import Chunks
from tests.http.cutting import cutting
from tests.http.oci_client import Repository, image, index
from tests.http.scripted import Asked, answer, serving
from tests.http.servers import Server
from tests.stores import push_blob, push_manifest, sha256
from tests.transfers import HERE, THERE, V1, manifests_below, populate

BIG = os.urandom(20_000_000)
MORE_THAN_CONNECTIONS = 101
"""httpx keeps a hundred at most."""
_NAMES = count(1)


async def at_once(seconds: float) -> None:
    """No pause between tries."""


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    """A store to copy from and to."""
    opened = bootstrap.open_memory()
    yield opened
    await opened.close()


@pytest.fixture
def here(registry: Registry) -> LocalRepository:
    """A repository of it."""
    return LocalRepository(registry, ANONYMOUS, HERE)


def there(http: Http) -> RemoteRepository:
    """A repository on a server that no other test uses."""
    return RemoteRepository(http, RepositoryName(f"remote/r{next(_NAMES)}"))


def at(repository: Repository, url: str) -> tuple[Http, RemoteRepository]:
    """A repository that tests push to, through another address."""
    http = Http(url, sleep=at_once)
    return http, RemoteRepository(http, RepositoryName(repository.name))


async def test_a_download_goes_on_where_it_broke(server: Server, repository: Repository, here: LocalRepository) -> None:
    """A connection that breaks in the middle of a blob is continued by a Range from there, as often as it takes."""
    repository.push("v1", repository.layered(BIG))
    async with cutting(server, down=(6_000_000, 6_000_000)) as proxy:
        http, source = at(repository, proxy.url)
        async with http:
            report = await copy(source, here, [Root(V1, V1)], jobs=1)
        ranges = [text for text in proxy.headers("GET", "range") if text]
    assert report.bytes_copied == len(BIG) + 2
    starts = [int(text.removeprefix("bytes=").removesuffix("-")) for text in ranges]
    assert len(starts) == 2
    assert 5_000_000 < starts[0] < starts[1] < len(BIG)


async def test_an_interrupted_import_keeps_what_it_has(
    server: Server, repository: Repository, here: LocalRepository
) -> None:
    """When a copy ends in the middle the bytes of a large blob stay, and the next import brings the rest alone."""

    class Interrupted(Exception):
        """Whatever ends a copy."""

    def interrupt(amounts: Amounts) -> None:
        if amounts.bytes_done > 12_000_000:
            raise Interrupted

    repository.push("v1", repository.layered(BIG))
    http, source = at(repository, server.url)
    async with http:
        with pytest.raises(Interrupted):
            await copy(source, here, [Root(V1, V1)], jobs=1, on_progress=interrupt)
    with pytest.raises(errors.NotFound):
        await here.resolve(V1)
    async with cutting(server) as proxy:
        http, source = at(repository, proxy.url)
        async with http:
            await copy(source, here, [Root(V1, V1)], jobs=1)
        [start] = [text for text in proxy.headers("GET", "range") if text]
    assert int(start.removeprefix("bytes=").removesuffix("-")) > 6_000_000
    assert (await here.resolve(V1)).size


async def test_an_upload_goes_on_where_it_broke(server: Server, registry: Registry, here: LocalRepository) -> None:
    """A connection that breaks in the middle of an upload is continued where the registry says that it stands."""
    await push_blob(registry, HERE, b"{}")
    await push_blob(registry, HERE, BIG)
    await push_manifest(registry, HERE, "v1", image(BIG))
    async with cutting(server, up=(7_000_000,)) as proxy, Http(proxy.url, sleep=at_once) as http:
        target = there(http)
        await copy(here, target, [Root(V1, V1)], jobs=1)
        places = proxy.headers("PATCH", "content-range")
    assert places[0] == ""
    assert len(places) == 2
    assert 0 < int(places[1].partition("-")[0]) < len(BIG)
    async with Http(server.url) as http:
        found = RemoteRepository(http, RepositoryName(target.repository))
        assert (await manifests_below(found, Root(V1))).keys() == {sha256(image(BIG))}


@pytest.mark.parametrize("length", [3, 8, 20])
async def test_a_registry_without_ranges(length: int) -> None:
    """One that answers a Range with the whole blob is read from the beginning, and no byte comes twice."""
    data = b"0123456789"
    said = iter([answer(200, data[:length], content_length="10", connection="close"), answer(200, data)])
    async with serving(by=lambda asked: next(said)) as server, Http(server.url, sleep=at_once) as http:
        content = Content(sha256(data), len(data), "text/plain")
        chunks = [chunk async for chunk in there(http).blob(content)]
    assert b"".join(chunks) == data


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer(200, b"01234567890"), errors.SizeInvalid),
        (answer(200, b"0123456789!", content_length="11"), errors.SizeInvalid),
        (answer(206, b"56789", content_range="bytes 5-9/10"), errors.BackendUnavailable),
        (answer(404), errors.BlobUnknown),
        (answer(403), errors.Denied),
    ],
)
async def test_wrong_answers_to_a_blob(said: bytes, error: type[Exception]) -> None:
    """Bytes of another length or place, a blob that is not there and one that is not allowed are told apart."""
    content = Content(sha256(b"0123456789"), 10, "text/plain")
    async with serving(by=lambda asked: said) as server, Http(server.url, sleep=at_once) as http:
        with pytest.raises(error):
            await anext(there(http).blob(content))


async def test_a_digest_that_is_not_that_of_the_manifest() -> None:
    """A registry that names a manifest's digest wrongly, or sends another one than was asked for, is not believed."""
    wrong = answer(200, image(), docker_content_digest=str(sha256(b"other")))
    other = answer(200, image(), content_type="application/vnd.oci.image.manifest.v1+json")
    async with serving(wrong, other) as server, Http(server.url) as http:
        with pytest.raises(errors.DigestInvalid):
            await there(http).resolve(V1)
        with pytest.raises(errors.DigestInvalid):
            await there(http).manifest(Content(sha256(b"asked for"), len(image()), ""))


async def test_docker_schema_1_is_refused(here: LocalRepository) -> None:
    """An image of schema 1 is refused with its address; nothing is tagged."""
    body = json.dumps({"schemaVersion": 1, "name": "x", "fsLayers": []}).encode()
    said = answer(200, body, content_type="application/vnd.docker.distribution.manifest.v1+prettyjws")
    async with serving(by=lambda asked: said) as server, Http(server.url) as http:
        with pytest.raises(errors.ManifestInvalid, match=f"{server.url}.*schema 1"):
            await copy(there(http), here, [Root(V1, V1)])
    with pytest.raises(errors.NotFound):
        await here.resolve(V1)


async def test_a_thousand_tags(server: Server, repository: Repository, registry: Registry) -> None:
    """Every tag of a repository comes, over all pages of the list, and each manifest once."""
    for start in range(0, 1100, 100):
        body = repository.layered(b"%d" % start)
        repository.push(f"t{start:04}", body)
        repository.put(str(sha256(body)), body, tag=[f"t{number:04}" for number in range(start, start + 100)])
    http, source = at(repository, server.url)
    target = LocalRepository(registry, ANONYMOUS, THERE)
    async with http:
        report = await copy(source, target, await roots_of(source), jobs=8)
    assert len(report.tags) == 1100
    assert (report.manifests_copied, report.blobs_copied) == (11, 12)
    assert [str(tag) async for tag in target.tags()] == [f"t{number:04}" for number in range(1100)]


LONGEST = [f"{number:0128}" for number in range(10_000)]


def listing(tags: list[str], link: str) -> bytes:
    """A page of tags, and where the next one is."""
    return answer(200, json.dumps({"name": "a", "tags": tags}).encode(), link=link)


async def listed(*pages: bytes) -> list[str]:
    """The tags of a registry that answers so."""
    async with serving(*pages) as server, Http(server.url) as http:
        return [str(tag) async for tag in there(http).tags()]


async def test_pages_of_tags_are_followed() -> None:
    """However `next` is written among the Links; pages may be large, and some may be empty."""
    links = (
        "</a>; rel=next",
        '</wrong>; rel="prev", </b>; title="x"; REL = "next"',
        '</c>;rel="next last"',
        '</wrong>; rel="nextly"',
    )
    pages = [listing(tags, link) for tags, link in zip((LONGEST, [], ["b"], ["c"]), links, strict=True)]
    assert await listed(*pages) == [*LONGEST, "b", "c"]


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([listing(["a"], "</x>; rel=next"), listing(["b"], "</x>; rel=next")], "circle"),
        ([listing(["a", "b"], "</x>; rel=next"), listing(["b"], "</y>; rel=next")], "circle"),
        ([listing([], f"</{number}>; rel=next") for number in range(101)], "circle"),
        ([listing(["a"], "<" * 8193)], "8192"),
        ([listing(["a" * 128] * 40_000, "")], "bytes"),
    ],
)
async def test_a_list_without_end_is_refused(pages: list[bytes], why: str) -> None:
    """A page again, one of what came already, empty ones for ever, and what is too large for a page end the list."""
    with pytest.raises(errors.BackendUnavailable, match=why):
        await listed(*pages)


@pytest.mark.parametrize(
    ("limits", "size"), [({}, 4 << 20), ({"manifest_size_max": 100}, 100), ({"ours": True}, 64 << 20)]
)
async def test_manifests_are_bounded(limits: dict[str, Any], size: int) -> None:
    """A manifest of more than the store takes is not read to its end; a store of ours may take more than others."""
    async with (
        serving(answer(200, content_length=str(size + 2)) + b" " * (size + 1)) as server,
        Http(server.url) as http,
    ):
        source = RemoteRepository(http, RepositoryName("a"), **limits)
        with pytest.raises(errors.BackendUnavailable, match=f"more than {size} bytes"):
            await source.resolve(V1)


class Old:
    """A registry of before referrers: one of ours behind a door that lets nothing newer through."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url)

    async def __call__(self, asked: Asked) -> bytes:
        """Forward a request, and take out of the answer what an old registry would not say."""
        if "/referrers/" in asked.target:
            return answer(404, b"404 page not found")
        kept = {name: text for name, text in asked.headers.items() if name not in ("host", "content-length")}
        said = await self._http.request(asked.method, asked.target, headers=kept, content=asked.body)
        names = ("content-type", "docker-content-digest", "location", "range", "link", "content-range")
        headers = {name: said.headers[name] for name in names if name in said.headers}
        if asked.method == "HEAD":
            headers["content-length"] = said.headers.get("content-length", "0")
        return answer(said.status_code, said.content, **headers)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()


async def test_a_registry_without_referrers(server: Server, registry: Registry, here: LocalRepository) -> None:
    """Referrers are listed under the fallback tag of their subject there, and found by it when they are copied back."""
    graph = await populate(registry)
    old = Old(server.url)
    async with serving(by=old) as front, Http(front.url) as http:
        target = there(http)
        await copy(here, target, [Root(V1, V1)], referrers=True)
        listed = await target.resolve(TagName(fallback_tag(str(graph.root))))
        members = (await target.manifest(listed)).says.members
        assert [member.digest for member in members] == [str(graph.referrer)]
        again = there(http)
        assert (await manifests_below(target, Root(V1))).keys() == graph.every
        await copy(target, again, [Root(V1, V1)], referrers=True)
        assert (await manifests_below(again, Root(V1))).keys() == graph.every
    await old.close()


async def test_a_referrer_that_was_left_unlisted(server: Server, registry: Registry, here: LocalRepository) -> None:
    """A copy that ended between a referrer and the fallback tag that lists it is completed by the next one."""
    graph = await populate(registry)
    old, killed = Old(server.url), iter([True])

    async def killing(asked: Asked) -> bytes:
        if asked.method == "PUT" and asked.target.endswith(fallback_tag(str(graph.root))) and next(killed, False):
            return answer(400)
        return await old(asked)

    async with serving(by=killing) as front, Http(front.url) as http:
        target = there(http)
        with pytest.raises(errors.ParameterInvalid):
            await copy(here, target, [Root(V1, V1)], referrers=True)
        again = RemoteRepository(http, RepositoryName(target.repository))
        await copy(here, again, [Root(V1, V1)], referrers=True)
        assert (await manifests_below(again, Root(V1))).keys() == graph.every
        report = await copy(here, again, [Root(V1, V1)], referrers=True)
        assert (report.manifests_copied, report.referrers) == (0, 4)
    await old.close()


async def test_a_fallback_tag_that_answers_with_its_subject(registry: Registry, here: LocalRepository) -> None:
    """A registry that takes the tag `sha256-…` for the digest does not make members into referrers."""
    member = image()
    listing = index(member)

    def said(asked: Asked) -> bytes:
        kind = "application/vnd.oci.image.index.v1+json"
        path = asked.target.rpartition("/")[2]
        if path in ("v1", str(sha256(listing)), fallback_tag(str(sha256(listing)))):
            return answer(200, listing, content_type=kind)
        if path == str(sha256(member)):
            return answer(200, member, content_type="application/vnd.oci.image.manifest.v1+json")
        return answer(200, b"{}") if "/blobs/" in asked.target else answer(404)

    async with serving(by=said) as server, Http(server.url) as http:
        report = await copy(there(http), here, [Root(V1, V1)], referrers=True)
    assert (report.manifests_copied, report.referrers) == (2, 0)


class Guarded:
    """A registry that wants a token, and the place where tokens are had: anybody's, or alice's."""

    def __init__(self, realm: str = "", before: str = "", **told: object) -> None:
        self.realm = realm
        self.before = before
        self.told = told
        self.port = 0
        self.asked_for: list[dict[str, list[str]]] = []

    def __call__(self, asked: Asked) -> bytes:
        """A token, a challenge, or nothing but a list of tags."""
        if asked.target.startswith("/token"):
            query = f"{urlsplit(asked.target).query}&{asked.body.decode()}"
            self.asked_for.append(parse_qs(query) | {"as": [asked.headers.get("authorization", "")]})
            return answer(200, json.dumps({"token": f"t{len(self.asked_for)}", **self.told}).encode())
        if asked.headers.get("authorization") != f"Bearer t{len(self.asked_for)}" or not self.asked_for:
            realm = self.realm or f"http://127.0.0.1:{self.port}/token?x=y"
            challenge = f'Bearer realm="{realm}",service="the \\"service\\"",scope="repository:a:pull"'
            return answer(401, b"{}", www_authenticate=self.before + challenge)
        return answer(200, b'{"name": "a", "tags": ["v1"]}')


async def tags_of(guarded: Guarded, login: Login | None, times: int = 1) -> list[str]:
    """The tags that are listed through a token."""

    async def find() -> Login | None:
        return login

    async with serving(by=guarded) as server:
        guarded.port = server.port
        authorizer = RegistryAuthorizer(server.url, find, ["repository:a:pull,push", "repository:b:pull"])
        async with Http(server.url, authorizer=authorizer) as http:
            source = RemoteRepository(http, RepositoryName("a"))
            listed = [[str(tag) async for tag in source.tags()] for _ in range(times)]
        return listed[-1]


async def test_a_token_is_had_with_a_login() -> None:
    """The place that the challenge names is asked for all scopes at once with the login, and its token is used on."""
    guarded = Guarded(expires_in=300)
    assert await tags_of(guarded, Login("alice", "secret"), times=3) == ["v1"]
    [asked] = guarded.asked_for
    assert asked["scope"] == ["repository:a:pull,push", "repository:b:pull", "repository:a:pull"]
    assert (asked["service"], asked["x"]) == (['the "service"'], ["y"])
    assert asked["as"] == ["Basic " + base64.b64encode(b"alice:secret").decode()]


async def test_a_token_is_had_without_a_login() -> None:
    """Where there is no login an anonymous token is asked for."""
    guarded = Guarded()
    assert await tags_of(guarded, None) == ["v1"]
    assert guarded.asked_for[0]["as"] == [""]


async def test_a_token_is_had_with_an_identity_token() -> None:
    """A login that is a token itself is exchanged by a form."""
    guarded = Guarded()
    assert await tags_of(guarded, Login("", "", "refreshing")) == ["v1"]
    assert guarded.asked_for[0]["refresh_token"] == ["refreshing"]
    assert guarded.asked_for[0]["grant_type"] == ["refresh_token"]


async def test_a_token_that_ended_is_had_again() -> None:
    """A token is not used beyond its time."""
    guarded = Guarded(expires_in=1e-9)
    assert await tags_of(guarded, None, times=3) == ["v1"]
    assert len(guarded.asked_for) >= 3


@pytest.mark.parametrize("seconds", [10**400, 1e300, float("nan"), -1])
async def test_a_token_of_absurd_length(seconds: float) -> None:
    """Whatever a place says of how long its token lasts, the token is used."""
    assert await tags_of(Guarded(expires_in=seconds), None) == ["v1"]


@pytest.mark.parametrize(
    "realm",
    [
        "http://127.0.0.1:1/token",
        "http://10.0.0.1/token",
        "https://[::1]/token",
        "ftp://x.example/",
        "nowhere",
        "http://[",
        "",
        "https://127.1/token",
        "https://2130706433/token",
        "https://0x7f.1/token",
        "https://127.0.0.1./token",
        "https://127。0。0。1/token",
        "https://localhost/token",
        "https://auth.localhost./token",
        "http://auth.example/token",
    ],
)
async def test_a_password_goes_to_no_untrusted_place(realm: str) -> None:
    """A realm within this machine or network, however it is spelt, or without https gets no password of another's."""
    with pytest.raises(errors.BackendUnavailable, match="not trusted"):
        await tags_of(Guarded(realm=realm or " "), Login("alice", "secret"))


async def test_a_login_is_not_for_where_a_registry_redirects_to() -> None:
    """A 401 of another server, at the end of a redirect, is no question after the registry's login."""
    thief = Guarded()

    async def find() -> Login | None:
        return Login("alice", "secret")

    async with serving(by=thief) as other, serving(by=lambda asked: answer(307, location=other.url)) as server:
        thief.port = other.port
        async with Http(server.url, authorizer=RegistryAuthorizer(server.url, find, [])) as http:
            with pytest.raises(errors.Denied):
                await there(http).resolve(V1)
    assert [(asked.target, asked.headers.get("authorization")) for asked in other.asked] == [("/", None)]


async def test_a_challenge_that_is_refused_frees_its_connection() -> None:
    """More 401s than there are connections can be refused, one after the other."""
    guarded = Guarded(realm="nowhere")

    async def find() -> Login | None:
        return None

    async with serving(by=guarded) as server:
        http = Http(server.url, authorizer=RegistryAuthorizer(server.url, find, []))
        for _ in range(MORE_THAN_CONNECTIONS):
            with pytest.raises(errors.BackendUnavailable, match="not trusted"):
                await asyncio.wait_for(http.request("GET", "/"), 60)
        await http.close()


async def test_nonsense_instead_of_a_token() -> None:
    """An answer without a token is told as such, and a login that is not enough as what it is."""
    with pytest.raises(errors.BackendUnavailable, match="no token"):
        await tags_of(Guarded(token=["x"]), None)
    with pytest.raises(errors.Denied):
        await tags_of(Guarded(token="wrong"), None)


async def test_basic_is_sent_when_it_is_asked_for() -> None:
    """A registry that wants Basic gets the login after its first 401, and nothing where there is none."""
    wanted = "Basic " + base64.b64encode("älice:secret".encode()).decode()

    def said(asked: Asked) -> bytes:
        if asked.headers.get("authorization") == wanted:
            return answer(200, b'{"tags": null}')
        return answer(401, www_authenticate='Basic realm="x"')

    for login, outcome in ((Login("älice", "secret"), None), (None, errors.Denied)):

        async def find(login: Login | None = login) -> Login | None:
            return login

        async with serving(by=said) as server:
            authorizer = RegistryAuthorizer(server.url, find, [])
            async with Http(server.url, authorizer=authorizer) as http:
                listing = RemoteRepository(http, RepositoryName("a")).tags()
                if outcome is None:
                    assert [tag async for tag in listing] == []
                    assert len(server.asked) == 2
                else:
                    with pytest.raises(outcome):
                        await anext(listing)


@pytest.mark.parametrize(
    ("header", "scheme", "parameters"),
    [
        ('Bearer realm="https://a/b",service=c', "bearer", {"realm": "https://a/b", "service": "c"}),
        ('bearer realm = "x\\"y", scope="a b,c"', "bearer", {"realm": 'x"y', "scope": "a b,c"}),
        ("Basic", "basic", {}),
    ],
)
def test_challenges_are_read(header: str, scheme: str, parameters: dict[str, str]) -> None:
    """Quoted and bare values, spaces and escapes are read as RFC 9110 has them."""
    assert Challenge.parse_all(header) == [Challenge(scheme, parameters)]


def test_several_challenges_are_told_apart() -> None:
    """Each of several challenges in one header has its own parameters, and the first of two of a name counts."""
    bearer, basic = Challenge("bearer", {"realm": "a", "service": "b"}), Challenge("basic", {"realm": "c"})
    assert Challenge.parse_all('Bearer realm="a",service=b,realm="d", Basic realm="c"') == [bearer, basic]
    assert Challenge.parse_all('Basic realm="c",Bearer realm="a" , service="b"') == [basic, bearer]
    assert Challenge.parse_all("") == Challenge.parse_all('realm="x"') == Challenge.parse_all("Basic," * 9999) == []


@pytest.mark.parametrize("login", [Login("alice", "secret"), None])
async def test_a_token_is_preferred_to_a_password(login: Login | None) -> None:
    """A registry that wants Basic or Bearer is asked with a token, which may be had by anybody."""
    guarded = Guarded(before='Basic realm="https://127.0.0.2/", ')
    assert await tags_of(guarded, login) == ["v1"]
    assert len(guarded.asked_for) == 1


async def test_an_upload_that_is_not_what_it_should_be_is_cancelled(server: Server) -> None:
    """Bytes of another digest are never closed: the upload is taken back, and the registry has no blob."""
    big = Content(sha256(BIG), len(BIG), "text/plain")

    async def wrong(offset: int) -> Chunks:
        yield bytes(len(BIG) - offset)

    async with cutting(server) as proxy, Http(proxy.url) as http:
        target = there(http)
        with pytest.raises(errors.DigestInvalid):
            await target.push_blob(big, wrong)
        assert not await target.has_blob(big)
        assert [head.split(" ")[0] for head in proxy.heads if head.startswith("D")] == ["DELETE"]


@pytest.mark.parametrize("kept", [True, False])
async def test_a_close_whose_answer_was_lost(kept: bool) -> None:
    """A close that is repeated and finds no upload any more has succeeded if the blob is there, and only then."""
    data = b"data"
    closes = iter([answer(504), answer(404, b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}')])

    def said(asked: Asked) -> bytes:
        if asked.method == "PUT":
            return next(closes)
        if asked.method == "HEAD":
            return answer(200, content_length="4") if kept else answer(404)
        return answer(202, location="/v2/upload")

    async def opening(offset: int) -> Chunks:
        yield data

    async with serving(by=said) as server, Http(server.url, sleep=at_once) as http:
        pushing = there(http).push_blob(Content(sha256(data), 4, "text/plain"), opening)
        if kept:
            await pushing
        else:
            with pytest.raises(errors.UploadUnknown):
                await pushing
    assert ("DELETE /v2/upload" in server.lines) is not kept


async def test_a_location_elsewhere_is_not_gone_to() -> None:
    """Content goes to no other server, whatever a registry says."""
    content = Content(sha256(b"data"), 4, "text/plain")
    said = answer(202, location="http://other.example/upload")

    async def data(offset: int) -> Chunks:
        yield b"data"

    async with serving(by=lambda asked: said) as server, Http(server.url) as http:
        with pytest.raises(errors.BackendUnavailable, match="another server"):
            await there(http).push_blob(content, data)


async def test_a_helper_does_not_outlive_who_asked_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gives up on a credential helper ends it."""
    helper, started = tmp_path / "docker-credential-test", tmp_path / "started"
    helper.write_text(f"#!/bin/sh\nread host\necho $$ > {started}\nexec sleep 60\n")
    helper.chmod(0o755)
    os.mkfifo(started)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    file = tmp_path / "config.json"
    file.write_text('{"credsStore": "test"}')
    asking = asyncio.create_task(find_login(file, "has.example"))
    process = int(await asyncio.to_thread(started.read_text))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await asking
    assert raised.tb is not None  # it holds the process, which would else be ended when it is collected
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_logins_are_found_where_docker_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By host, by what older programs wrote, from a helper of the host or of all; else there is none."""
    helper = tmp_path / "docker-credential-test"
    helper.write_text(
        '#!/bin/sh\nread host\ncase "$host" in\n'
        '  has.example) echo \'{"Username": "bob", "Secret": "pw"}\';;\n'
        '  token.example) echo \'{"Username": "<token>", "Secret": "idt"}\';;\n'
        "  odd.example) echo nonsense;;\n  locked.example) echo the keychain is locked >&2; exit 1;;\n"
        "  *) echo credentials not found in native keychain; exit 1;;\nesac\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    auth = base64.b64encode(b"alice:se:cret").decode()
    file = tmp_path / "config.json"
    logins = {
        "a.example:5000": {"auth": auth},
        "https://b.example/v1/": {"username": "b", "password": "c"},
        "c.example": {},
    }
    helped = dict.fromkeys(("has.example", "token.example", "odd.example", "not.example", "locked.example"), "test")
    file.write_text(json.dumps({"auths": logins, "credHelpers": helped}))
    assert await find_login(file, "a.example:5000") == Login("alice", "se:cret")
    assert await find_login(file, "b.example") == Login("b", "c")
    assert await find_login(file, "c.example") is await find_login(file, "d.example") is None
    assert await find_login(file, "has.example") == Login("bob", "pw")
    assert await find_login(file, "token.example") == Login("", "", "idt")
    assert await find_login(file, "not.example") is None
    with pytest.raises(errors.ConfigInvalid):
        await find_login(file, "odd.example")
    with pytest.raises(errors.ConfigInvalid, match="docker-credential-test failed: the keychain is locked"):
        await find_login(file, "locked.example")
    file.write_text(json.dumps({"credsStore": "test"}))
    assert await find_login(file, "has.example") == Login("bob", "pw")
    assert await find_login(tmp_path / "absent", "has.example") is None
    for nonsense in ("[]", "{", json.dumps({"credsStore": "../x"}), json.dumps({"credsStore": "absent"})):
        file.write_text(nonsense)
        with pytest.raises(errors.ConfigInvalid):
            await find_login(file, "has.example")
    assert "secret" not in repr(Login("alice", "secret"))
