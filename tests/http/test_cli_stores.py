"""Commands on a data directory and on a server: both print the same, and leave the same."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from typer.testing import Result

from artifactstore.cli import describe
from artifactstore.cli.shapes import SHAPES, complete
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName, TagName
from tests.http.commands import document, lines, run
from tests.http.native_store import OCI_INDEX, Pusher, sha256, subject
from tests.http.scripted import Asked, answer, serving
from tests.http.servers import in_thread
from tests.stores import fresh_config, fresh_registry

SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"
MISSING = f"sha256:{'0' * 64}"


async def fill(directory: Path) -> None:
    """A signed package with two tags, an index over it, a cosign tag, another package, and another repository."""
    registry = fresh_registry(directory, unsafe_no_sync=True)
    store = Pusher(registry)
    digest = await store.package("acme/reports", {"a.txt": b"alpha", "sub/b.txt": b"beta"}, "v1", "latest")
    await store.package("acme/reports", {None: b"signed"}, artifactType=SIGNATURE, subject=subject(digest))
    await store.package("acme/reports", {None: b"old"}, f"{digest.replace(':', '-')}.sig")
    size = (await registry.resolve(ANONYMOUS, RepositoryName("acme/reports"), TagName("v1"))).size
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [subject(digest, size)]}
    await store.manifest("acme/reports", index, "all")
    await store.package(
        "acme/reports", {"a.txt": b"alpha", "c.txt": b"gamma"}, "v2", artifactType="application/x.other"
    )
    await store.package("other", {"d.txt": b"delta \xc3\xa9"}, "v1", annotations={"name": "é\n\u2028"})
    await registry.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with something of everything."""
    directory = tmp_path_factory.mktemp("filled")
    asyncio.run(fill(directory))
    return directory


@pytest.fixture(scope="module")
def url(data: Path) -> Iterator[str]:
    """A server of the same data directory."""
    with in_thread(fresh_config(data, port=0, unsafe_no_sync=True)) as running:
        yield running.url


@contextmanager
def served_copy(data: Path, directory: Path) -> Iterator[tuple[Path, str]]:
    """Two stores that began the same: one to be opened, one behind a server."""
    here, there = directory / "here", directory / "there"
    for copy in (here, there):
        shutil.copytree(data, copy)
    with in_thread(fresh_config(there, port=0, unsafe_no_sync=True)) as running:
        yield here, running.url


def said(result: Result) -> tuple[int, bytes, str]:
    """All that a command says."""
    return result.exit_code, result.stdout_bytes, result.stderr


READING = [
    ("ls",),
    ("ls", "acme/reports"),
    ("ls", "acme/reports", "--all"),
    ("ls", "acme/reports", "--tag", "v2"),
    ("ls", "acme/reports", "--kind", "application/x.other"),
    ("ls", "acme/reports", "--kind", "application/none"),
    ("show", "acme/reports:v1"),
    ("show", "acme/reports:all"),
    ("show", "other:v1"),
    ("manifest", "acme/reports:v1"),
    ("events",),
    ("events", "--after", "5", "--repository", "other"),
    ("events", "--type", "v1.tag.moved", "--type", "v1.log.created"),
    ("rm", "acme/reports:v1", "--dry-run"),
    ("rm", "acme/reports:v1", "acme/reports:v2", "--package", "--dry-run"),
    ("rm", "acme/reports:all", "--package", "--dry-run"),
    ("repo", "ls"),
    ("repo", "ls", "acme"),
    ("repo", "rm", "acme/reports", "other", "--dry-run"),
]


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_both_stores_print_the_same(data: Path, url: str, arguments: tuple[str, ...], form: tuple[str, ...]) -> None:
    """A command that reads prints the same bytes of a directory and of a server, for people and for programs."""
    here = run(*arguments, *form, "--data", data)
    there = run(*arguments, *form, "--server", url)
    assert here.exit_code == 0, here.stderr
    assert here.stdout_bytes or "none" in " ".join(arguments)
    assert said(there) == said(here)


@pytest.mark.parametrize("arguments", [case for case in READING if case[0] != "events"], ids=" ".join)
def test_json_is_as_documented(data: Path, arguments: tuple[str, ...]) -> None:
    """What a command prints with --json is what the reference page says that it prints, and nothing else."""
    conforms(arguments, run(*arguments, "--json", "--data", data).stdout)


def test_every_event_is_as_documented(data: Path) -> None:
    """Each line of `events --json` is an event as the reference page describes it."""
    for line in run("events", "--json", "--data", data).stdout.rstrip("\n").split("\n"):
        conforms(("events",), line)


@pytest.mark.parametrize(
    "arguments",
    [("health",), ("version",), ("migrate",), ("replay", "--check"), ("sweep", "--dry-run"), ("config", "show")],
    ids=" ".join,
)
def test_upkeep_prints_as_documented(data: Path, arguments: tuple[str, ...]) -> None:
    """The documents of the commands that look after a store are as the reference page says."""
    where = () if arguments == ("version",) else ("--data", data)
    conforms(arguments, run(*arguments, "--json", *where).stdout)


def conforms(arguments: tuple[str, ...], text: str) -> None:
    """The document is of the shape that its command announces."""
    name = arguments[0] if arguments[0] in SHAPES else " ".join(arguments[:2])
    schema = complete(SHAPES[name])
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(json.loads(text))


def test_manifest_bytes_are_the_same(data: Path, url: str) -> None:
    """The canonical CBOR is the same byte for byte through a server."""
    here = run("manifest", "acme/reports:v1", "--cbor", "--data", data)
    assert here.stdout_bytes
    assert said(run("manifest", "acme/reports:v1", "--cbor", "--server", url)) == said(here)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ls", "none"), 3),
        (("show", "none:v1"), 3),
        (("show", "acme/reports:none"), 3),
        (("show", f"acme/reports@{MISSING}"), 3),
        (("manifest", "acme/reports:none"), 3),
        (("events", "--after", "1000000"), 4),
        (("events", "--type", "v1.tag.mooved"), 2),
        (("tag", "none:v1", "v2"), 3),
        (("tag", "acme/reports:none", "v2"), 3),
        (("tag", "acme/reports:v1", "-v2"), 2),
        (("rm", "acme/reports:none", "--yes"), 3),
        (("rm", "none:v1", "--yes"), 3),
        (("rm", f"acme/reports@{MISSING}", "--yes"), 3),
        (("rm", "acme/reports", "--yes"), 2),
        (("rm", "acme/reports:v1"), 2),
        (("rm", "acme/reports:v1", "--json"), 2),
        (("repo", "rm", "none", "--yes"), 3),
        (("repo", "rm", "other"), 2),
        (("repo", "ls", "UPPER"), 2),
        (("ls", "--tag", "v1"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_both_stores_refuse_alike(data: Path, url: str, arguments: tuple[str, ...], code: int) -> None:
    """What goes wrong ends with the same exit code and the same error code, here and through a server."""
    here, there = run(*arguments, "--data", data), run(*arguments, "--server", url)
    assert (here.exit_code, there.exit_code) == (code, code), here.stderr + there.stderr
    assert here.stdout == there.stdout == ""
    assert here.stderr.splitlines()[0] == there.stderr.splitlines()[0]


CHANGES = [
    ("tag", "acme/reports:v1", "v3", "v4", "v3"),
    ("tag", "acme/reports:v2", "latest", "--json"),
    ("rm", "acme/reports:v3", "acme/reports:v4", "--yes", "--json"),
    ("rm", "acme/reports:v1", "--yes"),
    ("rm", "acme/reports:all", "--package", "--yes"),
    ("rm", f"acme/reports@{sha256(b'none')}", "--yes"),
    ("repo", "rm", "other", "--yes"),
    ("repo", "rm", "other", "--yes"),
    ("repo", "rm", "acme/reports", "--yes", "--json"),
]


def test_both_stores_change_alike(data: Path, tmp_path: Path) -> None:
    """The same changes through both say the same and append the same facts; each is in the log of both."""
    with served_copy(data, tmp_path) as (directory, address):
        for arguments in CHANGES:
            here = run(*arguments, "--data", directory)
            assert said(here) == said(run(*arguments, "--server", address))
            if "--json" in arguments:
                conforms(arguments, here.stdout)
        logs = [facts(*where) for where in (("--data", str(directory)), ("--server", address))]
    assert logs[0] == logs[1]
    types = [kind for kind, *_ in logs[0]]
    assert types.count("v1.repository.deleted") == 2
    assert types.count("v1.tag.deleted") == 3
    assert types.count("v1.manifest.deleted") == 1


def facts(*where: str) -> list[tuple[str, str, Any]]:
    """Type, stream and payload of each event."""
    events = [json.loads(line) for line in run("events", "--json", *where).stdout.rstrip("\n").split("\n")]
    return [(event["type"], event["stream"], event["payload"]) for event in events]


def test_rm_says_what_goes_and_what_stays(data: Path) -> None:
    """A dry run names the package, its tags, what loses its subject by each way, and what an index leaves."""
    package = sha256_of(data, "acme/reports:v1")
    shown = lines("rm", "acme/reports:v1", "--package", "--dry-run", "--data", data)
    assert [row[:3] for row in shown[:3]] == [
        ["deleted", "package", f"acme/reports@{package}"],
        ["deleted", "tag", "acme/reports:latest"],
        ["deleted", "tag", "acme/reports:v1"],
    ]
    assert sorted((row[0], row[1], row[3]) for row in shown[3:]) == [
        ("orphaned", "signature", f"attached by the tag {package.replace(':', '-')}.sig"),
        ("orphaned", "signature", "it is its subject"),
    ]
    index = lines("rm", "acme/reports:all", "--package", "--dry-run", "--data", data)
    assert ["stays", "member", f"acme/reports@{package}", "the index listed it"] in index


def test_rm_counts_bytes_that_nothing_else_names(data: Path) -> None:
    """What another package of the repository names too is not counted; manifest, config and layers of its own are."""
    manifest = package("acme/reports:v1", data)["size"]
    only = document("rm", "acme/reports:v1", "--package", "--dry-run", "--data", data)["size"]
    assert only == manifest + len(b"beta")  # alpha is also in v2, the empty config in all
    other = document("rm", "other:v1", "--package", "--dry-run", "--data", data)["size"]
    assert other == package("other:v1", data)["size"] + len(b"delta \xc3\xa9") + len(b"{}")


def test_a_tag_goes_alone(data: Path) -> None:
    """`rm REPO:TAG` takes the tag; its package stays, and is said to."""
    digest = sha256_of(data, "acme/reports:v1")
    assert lines("rm", "acme/reports:v1", "--dry-run", "--data", data) == [
        ["deleted", "tag", "acme/reports:v1", "-"],
        ["stays", "package", f"acme/reports@{digest}", "still tagged latest"],
    ]


def test_data_and_server_exclude_each_other(data: Path, url: str) -> None:
    """A command is about one store."""
    result = run("ls", "--data", data, "--server", url)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Nothing listens: exit 5, one line that says where."""
    result = run("ls", "--server", "http://127.0.0.1:9")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "127.0.0.1:9" in result.stderr


async def test_a_server_that_wants_a_login_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in front of a server that asks who is there is answered with the login of docker's config."""

    def guarded(asked: Asked) -> bytes:
        if asked.headers.get("authorization") != "Basic bWU6c2VjcmV0":
            return answer(401, www_authenticate='Basic realm="store"')
        return answer(200, b'{"repositories": [], "next": null}')

    async with serving(by=guarded) as server:
        login = {"auths": {f"127.0.0.1:{server.port}": {"auth": "bWU6c2VjcmV0"}}}
        (tmp_path / "config.json").write_text(json.dumps(login))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        allowed = await asyncio.to_thread(run, "repo", "ls", "--server", server.url)
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
        refused = await asyncio.to_thread(run, "repo", "ls", "--server", server.url)
    assert (allowed.exit_code, allowed.stdout) == (0, "")
    assert refused.exit_code == 8


@pytest.mark.parametrize("body", [b"", b"[]", b'{"repositories": 1}', b"<html>"])
async def test_nonsense_of_a_server_is_unavailable(body: bytes) -> None:
    """What is no answer of a store ends with 5, be it no JSON or JSON of another kind."""
    async with serving(by=lambda asked: answer(200, body)) as server:
        for command in (
            ("repo", "ls"),
            ("show", "a:v1"),
            ("events",),
            ("repo", "rm", "a", "--yes"),
            ("rm", "a:v1", "--yes"),
        ):
            result = await asyncio.to_thread(run, *command, "--server", server.url)
            assert (result.exit_code, result.stdout) == (5, ""), (command, result.stderr)
            assert "Traceback" not in result.stderr


def test_commands_that_ask_take_a_server() -> None:
    """Each command that asks or changes has --server beside --data."""
    asking = {"ls", "show", "manifest", "events", "tag", "rm", "repo ls", "repo rm"}
    taking = {
        command.name: {parameter.form.split()[0] for parameter in command.parameters} for command in describe.commands()
    }
    for name in asking:
        assert {"--data", "--server"} <= taking[name]


def package(name: str, data: Path) -> dict[str, Any]:
    """A package as `show` has it."""
    return document("show", name, "--data", data)


def sha256_of(data: Path, name: str) -> str:
    """The OCI digest of a package."""
    digest: str = package(name, data)["digest"]
    return digest
