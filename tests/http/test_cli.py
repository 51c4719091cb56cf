from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

import artifactstore
from artifactstore.manifest.projection import from_jcs
from tests.http.commands import document, lines, run
from tests.http.native_store import Pusher, subject
from tests.stores import fresh_registry

SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a signed package in `acme/reports`, and one in `other`."""
    directory = tmp_path_factory.mktemp("filled")

    async def fill() -> None:
        registry = fresh_registry(directory)
        store = Pusher(registry)
        digest = await store.package("acme/reports", {"a.txt": b"alpha", "sub/b.txt": b"beta"}, "v1")
        await store.package("acme/reports", {None: b"signed"}, artifactType=SIGNATURE, subject=subject(digest))
        await store.package("other", {"c.txt": b"gamma"}, "latest", "v2")
        await registry.close()

    asyncio.run(fill())
    return directory


def test_version_is_that_of_the_library() -> None:
    """`version` and `--version` say the library's version."""
    assert lines("version") == lines("--version") == [[f"artifactstore {artifactstore.__version__}"]]
    assert document("version")["version"] == artifactstore.__version__


def test_ls_lists_repositories(data: Path) -> None:
    """`ls` lists the repositories, in the API's shape for programs."""
    assert [row[0] for row in lines("ls", "--data", data)] == ["acme/reports", "other"]
    assert [row["name"] for row in document("ls", "--data", data)["repositories"]] == ["acme/reports", "other"]


def test_ls_lists_the_packages_of_a_repository(data: Path) -> None:
    """`ls REPO` lists its packages with their tags; signatures with --all only."""
    assert [row[0] for row in lines("ls", "other", "--data", data)] == ["latest, v2"]
    assert len(lines("ls", "acme/reports", "--data", data)) == 1
    roles = [package["role"] for package in document("ls", "acme/reports", "--all", "--data", data)["packages"]]
    assert roles == ["signature", "package"]


def test_show_describes_a_package(data: Path) -> None:
    """`show` has the package, its files and what refers to it, by tag and by digest alike."""
    shown = document("show", "acme/reports:v1", "--data", data)
    assert [file["path"] for file in shown["files"]] == ["a.txt", "sub/b.txt"]
    assert [referrer["role"] for referrer in shown["referrers"]] == ["signature"]
    assert document("show", f"acme/reports@{shown['digest']}", "--data", data) == shown
    text = run("show", "acme/reports:v1", "--data", data).stdout
    assert shown["manifest_digest"] in text
    assert f"sub/b.txt\t4 B\t{shown['files'][1]['content_address']}" in text
    assert f"signature\t{shown['referrers'][0]['digest']}" in text


def test_manifest_is_exact(data: Path) -> None:
    """`manifest --cbor` writes the bytes that the manifest digest names, `--json` their projection."""
    cbor = run("manifest", "acme/reports:v1", "--cbor", "--data", data).stdout_bytes
    digest = artifactstore.Digest.parse(document("show", "acme/reports:v1", "--data", data)["manifest_digest"])
    assert digest == digest_of(cbor)
    jcs = run("manifest", "acme/reports:v1", "--json", "--data", data).stdout_bytes
    assert from_jcs(jcs) == cbor
    assert json.loads(run("manifest", "acme/reports:v1", "--data", data).stdout) == json.loads(jcs)


def digest_of(data: bytes) -> artifactstore.Digest:
    """The blake3 digest."""
    from artifactstore.identity.digest import digest_bytes

    return digest_bytes("blake3", data)


def test_manifest_flags_exclude_each_other(data: Path) -> None:
    """Both exact forms at once make no sense."""
    assert run("manifest", "acme/reports:v1", "--json", "--cbor", "--data", data).exit_code == 2


def test_events_print_the_log(data: Path) -> None:
    """`events` prints a line an event in order; --after and --repository narrow it."""
    every = lines("events", "--data", data)
    assert [int(row[0]) for row in every] == list(range(1, len(every) + 1))
    assert every[0][2:] == ["v1.log.created", "registry", "system"]
    assert lines("events", "--after", "3", "--data", data) == every[3:]
    of_other = lines("events", "--repository", "other", "--data", data)
    assert of_other == [row for row in every if row[3] == "other"]


def test_events_for_programs_are_ndjson(data: Path) -> None:
    """`events --json` is one JSON object a line, payload included."""
    printed = run("events", "--json", "--after", "1", "--data", data).stdout.splitlines()
    events = [json.loads(line) for line in printed]
    assert [event["sequence"] for event in events] == list(range(2, len(events) + 2))
    assert all("payload" in event for event in events)


def test_health_of_a_sound_store(data: Path) -> None:
    """`health` names each check, and ends with 0 when all are sound."""
    assert {row[0]: row[1] for row in lines("health", "--data", data)} == dict.fromkeys(
        ("database", "backend", "space", "clock"), "ok"
    )
    assert document("health", "--data", data)["status"] == "ready"


def test_replay_check_finds_no_difference(data: Path) -> None:
    """`replay --check` of a sound store ends with 0 and says how many events it read."""
    found = document("replay", "--check", "--data", data)
    assert found == {"events": len(lines("events", "--data", data)), "checked": True, "differences": []}


def test_replay_finds_and_repairs_a_view_that_differs(tmp_path: Path) -> None:
    """`replay --check` prints what differs and ends with 1; `replay` makes the views what the log says."""
    run("migrate", "--data", tmp_path)
    run("events", "--data", tmp_path)
    connection = sqlite3.connect(tmp_path / "artifactstore.sqlite")
    connection.execute(
        "INSERT INTO repositories (name, tenant, created_sequence, created_at) VALUES ('forged', 'forged', 1, 1)"
    )
    connection.commit()
    connection.close()
    checked = run("replay", "--check", "--data", tmp_path)
    assert checked.exit_code == 1
    assert "repositories: the view says ('forged'" in checked.stdout
    assert "1 views differ from the log" in checked.stdout
    assert lines("replay", "--data", tmp_path) == [["1 events replayed, the views are made again"]]
    assert run("replay", "--check", "--data", tmp_path).exit_code == 0
    assert lines("ls", "--data", tmp_path) == []


def test_sweep_removes_nothing_that_a_fact_names(data: Path) -> None:
    """`sweep` of a store without leftovers removes nothing, dry or not."""
    nothing = {"uploads": 0, "objects": 0, "bytes": 0}
    assert document("sweep", "--dry-run", "--data", data) == {"dry_run": True, **nothing}
    assert document("sweep", "--data", data) == {"dry_run": False, **nothing}


def test_migrate_makes_a_store_once(tmp_path: Path) -> None:
    """`migrate` makes the database, and finds it made the next time."""
    first = document("migrate", "--data", tmp_path / "new")
    again = document("migrate", "--data", tmp_path / "new")
    assert (first["before"], again["before"]) == (None, first["after"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("ls",),
        ("ls", "a"),
        ("show", "a:v1"),
        ("manifest", "a:v1"),
        ("events",),
        ("health",),
        ("replay",),
        ("replay", "--check"),
        ("sweep",),
    ],
)
def test_reading_makes_no_store(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A command that needs a store says that there is none, with the exit of CONFIG_INVALID, and makes none."""
    result = run(*arguments, "--data", tmp_path / "none")
    assert result.exit_code == 7
    assert "there is no store at" in result.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "none:v1"), 3),
        (("show", "acme/reports:none"), 3),
        (("show", "acme/reports"), 2),
        (("show", "acme/reports@sha256:x"), 2),
        (("ls", "none"), 3),
        (("ls", "UPPER"), 2),
        (("events", "--after", "1000000"), 4),
        (("events", "--after", "-1"), 2),
        (("ls", "--nonsense"), 2),
        (("nonsense",), 2),
    ],
)
def test_errors_have_exits(data: Path, arguments: tuple[str, ...], code: int) -> None:
    """What goes wrong is said on standard error, and told by the exit code."""
    result = run(*arguments, "--data", data)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr


def test_serve_refuses_the_network(tmp_path: Path) -> None:
    """Options are settings: an address beyond loopback is refused like any unsafe setting, before anything is made."""
    result = run("serve", "--host", "0.0.0.0", "--data", tmp_path / "new")
    assert result.exit_code == 7
    assert "ARTIFACTSTORE_UNSAFE_OPEN_TO_NETWORK" in result.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--workers", "0")])
def test_serve_checks_its_options(tmp_path: Path, arguments: tuple[str, str]) -> None:
    """An option that makes no sense as a setting is refused with the setting's name."""
    result = run("serve", *arguments, "--data", tmp_path / "new")
    assert result.exit_code == 7
    assert "ARTIFACTSTORE_" in result.stderr
