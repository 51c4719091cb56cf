"""The commands that copy: `cp`, `export` and `import`, on a data directory and on a server."""

from __future__ import annotations

import asyncio
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from typer.testing import CliRunner, Result

from artifactstore.cli.errors import Exit
from artifactstore.cli.main import app
from artifactstore.cli.shapes import SHAPES, complete
from artifactstore.transfer.layout import CONTAINERD_NAME, REF_NAME
from tests.http.servers import in_thread
from tests.stores import fresh_config, fresh_registry
from tests.transfers import HERE, Graph, populate


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Graph]:
    """A data directory with a graph in it."""
    directory = tmp_path_factory.mktemp("filled")

    async def fill() -> Graph:
        registry = fresh_registry(directory)
        graph = await populate(registry)
        await registry.close()
        return graph

    return directory, asyncio.run(fill())


@pytest.fixture(scope="module")
def url(filled: tuple[Path, Graph]) -> Iterator[str]:
    """A server of the same data."""
    with in_thread(fresh_config(filled[0], port=0)) as server:
        yield server.url


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A data directory with nothing in it."""
    fresh_config(tmp_path / "empty")
    return tmp_path / "empty"


def run(*arguments: str | Path, given: bytes | None = None) -> Result:
    """What a command prints and ends with."""
    return CliRunner().invoke(app, [str(each) for each in arguments], prog_name="artifactstore", input=given)


def done(*arguments: str | Path, given: bytes | None = None) -> dict[str, Any]:
    """The JSON document of a command that succeeds."""
    result = run(*arguments, "--json", given=given)
    assert result.exit_code == 0, result.stderr
    value: dict[str, Any] = json.loads(result.stdout)
    Draft202012Validator(complete(SHAPES[str(arguments[0])])).validate(value)
    return value


def shown(directory: Path, package: str) -> dict[str, Any]:
    """A package and what refers to it."""
    return done("show", package, "--data", directory)


@pytest.mark.parametrize("form", ["tar", "directory"])
def test_what_is_exported_comes_back_the_same(form: str, filled: tuple[Path, Graph], empty: Path) -> None:
    """Manifests, referrers, tags and native manifests are the same in another store, under the same repository."""
    data, graph = filled
    layout = empty.parent / ("layout.tar" if form == "tar" else "layout")
    exported = done("export", f"{HERE}:v1", layout, "--data", data)
    assert exported["roots"] == [{"repository": HERE, "tag": "v1", "digest": str(graph.root)}]
    imported = done("import", layout, "--data", empty)
    assert imported["manifests"] == {"copied": len(graph.every), "skipped": 0}
    for digest in graph.every:
        manifests = [run("manifest", f"{HERE}@{digest}", "--json", "--data", each).stdout for each in (data, empty)]
        assert manifests[0] == manifests[1] != ""
    there, here = shown(empty, f"{HERE}:v1"), shown(data, f"{HERE}:v1")
    assert {row["digest"] for row in there["referrers"]} == {row["digest"] for row in here["referrers"]}


def test_an_archive_is_the_same_every_time(filled: tuple[Path, Graph], url: str, tmp_path: Path) -> None:
    """The same packages give the same bytes, from a directory and from a server, into a file and into a pipe."""
    data, _ = filled
    first, second = tmp_path / "one.tar", tmp_path / "two.tar"
    done("export", f"{HERE}:v1", first, "--data", data)
    done("export", f"{HERE}:v1", second, "--server", url, "--jobs", "1")
    piped = run("export", f"{HERE}:v1", "-", "--data", data)
    assert first.read_bytes() == second.read_bytes() == piped.stdout_bytes
    with tarfile.open(first) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(0, 0, 0, "")}


def test_an_archive_is_read_from_standard_input(filled: tuple[Path, Graph], empty: Path) -> None:
    """`-` imports what comes in."""
    data, graph = filled
    archive = run("export", f"{HERE}:v1", "-", "--data", data).stdout_bytes
    assert done("import", "-", "third/place", "--data", empty, given=archive)["tags"] == 2
    assert shown(empty, "third/place:v1")["digest"] == str(graph.root)


def test_several_repositories_in_one_layout(filled: tuple[Path, Graph], empty: Path) -> None:
    """Each comes back as itself; tags are named with their repository, and one place for all must not mix them up."""
    data, graph = filled
    done("cp", f"{HERE}@{graph.members[0]}", "other/one:v1", "--data", data)
    layout = empty.parent / "layout"
    done("export", f"{HERE}:v1", "other/one:v1", layout, "--data", data, "--without-referrers")
    listed = json.loads((layout / "index.json").read_bytes())["manifests"]
    assert {item["annotations"][REF_NAME] for item in listed} == {f"{HERE}:v1", "other/one:v1"}
    done("import", layout, "--data", empty)
    assert shown(empty, "other/one:v1")["digest"] == str(graph.members[0])
    mixed = run("import", layout, "all/here", "--data", empty)
    assert (mixed.exit_code, "several manifests v1" in mixed.stderr) == (Exit.INPUT, True)


def test_all_tags_and_a_digest_of_one_repository(filled: tuple[Path, Graph], empty: Path) -> None:
    """A repository by its name and a manifest without a tag by its digest are both exported."""
    data, graph = filled
    out = empty.parent / "both.tar"
    exported = done("export", HERE, f"{HERE}@{graph.referrer}", out, "--data", data, "--without-referrers")
    assert {"repository": HERE, "tag": None, "digest": str(graph.referrer)} in exported["roots"]
    assert {"repository": HERE, "tag": "v1", "digest": str(graph.root)} in exported["roots"]


def test_a_promotion_moves_no_bytes(filled: tuple[Path, Graph], url: str) -> None:
    """`cp` mounts every blob, on a directory and on a server, and says what it did; again it does nothing."""
    data, graph = filled
    places: list[tuple[str | Path, ...]] = [("--data", data), ("--server", url)]
    for number, where in enumerate(places):
        name = f"production/r{number}"
        planned = done("cp", f"{HERE}:v1", name, "--with-referrers", "--dry-run", *where)
        first = done("cp", f"{HERE}:v1", name, "--with-referrers", *where)
        assert first["blobs"] == planned["blobs"] == {"copied": 0, "mounted": 8, "skipped": 0}
        assert first["bytes"] == 0
        assert done("cp", f"{HERE}:v1", name, *where)["manifests"] == {"copied": 0, "skipped": 1}
        assert shown(data, f"{name}:v1")["digest"] == str(graph.root)


def test_an_import_from_a_registry(filled: tuple[Path, Graph], url: str, empty: Path) -> None:
    """All tags come without a name, one with, under another tag if that is asked for; a second time nothing does."""
    _, graph = filled
    first = done("import", "--from", f"{url}/{HERE}", "--data", empty)
    assert {root["tag"] for root in first["roots"]} == {"one", "two", "v1", f"sha256-{graph.root.hex}.sig"}
    again = done("import", "--from", f"{url}/{HERE}", "--data", empty)
    assert (again["manifests"]["copied"], again["blobs"]["copied"]) == (0, 0)
    done("import", "--from", f"{url.removeprefix('http://')}/{HERE}:v1", "mirror/x:latest", "--data", empty)
    assert shown(empty, "mirror/x:latest")["digest"] == str(graph.root)
    planned = done("import", "--from", f"{url}/{HERE}@{graph.root}", "mirror/y", "--dry-run", "--data", empty)
    assert planned["dry_run"]
    assert run("show", f"mirror/y@{graph.root}", "--data", empty).exit_code == Exit.UNKNOWN


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("import",), Exit.INPUT),
        (("import", "nowhere"), Exit.INPUT),
        (("import", "a", "b", "--from", "127.0.0.1:1/c"), Exit.INPUT),
        (("import", "--from", "no-registry/x"), Exit.INPUT),
        (("import", "--from", "127.0.0.1:1/a", "b:tag"), Exit.INPUT),
        (("import", "--from", "127.0.0.1:1/a:v1"), Exit.UNAVAILABLE),
        (("import", "x", f"{HERE}@sha256:{'0' * 64}"), Exit.INPUT),
        (("cp", f"{HERE}:absent", "there"), Exit.UNKNOWN),
        (("cp", f"{HERE}:absent", f"there@sha256:{'0' * 64}"), Exit.INPUT),
        (("cp", f"{HERE}:absent", "there", "--server", "http://127.0.0.1:1"), Exit.INPUT),
        (("export", f"{HERE}:absent", "out"), Exit.UNKNOWN),
        (("export", f"{HERE}:absent", "no/such/folder/out.tar"), Exit.INPUT),
        (("export", f"{HERE}:v1", "file"), Exit.INPUT),
        (("export", f"{HERE}:v1", "folder.tar"), Exit.INPUT),
    ],
)
def test_mistakes_end_with_their_codes(
    arguments: tuple[str, ...], code: Exit, filled: tuple[Path, Graph], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be is refused before anything is written, with a code of the one table."""
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder.tar").mkdir()
    result = run(*arguments, "--data", filled[0])
    assert (result.exit_code, result.stdout) == (code, ""), result.output


def test_a_layout_that_tells_no_repository_needs_one(filled: tuple[Path, Graph], empty: Path) -> None:
    """A layout that others made is imported to the repository that is named, and without one is refused."""
    layout = empty.parent / "layout"
    done("export", f"{HERE}:v1", layout, "--data", filled[0])
    index = json.loads((layout / "index.json").read_bytes())
    for item in index["manifests"]:
        item["annotations"] = {REF_NAME: item["annotations"].get(REF_NAME, "")}
    (layout / "index.json").write_text(json.dumps(index))
    refused = run("import", layout, "--data", empty)
    assert (refused.exit_code, "name one" in refused.stderr) == (Exit.INPUT, True)
    assert done("import", layout, "named/here:new", "--data", empty)["referrers"] == 4
    for item in index["manifests"]:
        item["annotations"] |= {CONTAINERD_NAME: f"docker.io/acme/x:{item['annotations'][REF_NAME]}"}
    (layout / "index.json").write_text(json.dumps(index))
    done("import", layout, "--data", empty)
    assert shown(empty, "docker.io/acme/x:v1")["digest"] == str(filled[1].root)
