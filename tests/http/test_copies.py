"""Backups of a store that serves, by the command, and the server on what was restored."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.backups import LARGE, changed, faults, head, object_path
from tests.http.commands import document, run
from tests.http.servers import in_processes, wait_for
from tests.stores import IMAGE, fresh_config, image, push_blob, push_image, sha256

REPOSITORY = "/v2/acme/busy"
COMMAND = (sys.executable, "-c", "from artifactstore.cli.main import main; main()")


@dataclass
class Told:
    """What writers were told: manifests that were pushed and stay, and digests of those that were deleted."""

    kept: dict[str, bytes] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    def until_now(self) -> Told:
        """What was told so far."""
        return Told(dict(self.kept), set(self.deleted))


def write(url: str, told: Told, stopping: Callable[[], bool]) -> None:
    """Push images, delete every third of them again, and note each answer."""
    with httpx.Client(base_url=url, timeout=30) as http:
        number = 0
        while not stopping():
            number += 1
            layer = os.urandom(700) if number % 5 else os.urandom(50_000)
            for blob in (b"{}", layer):
                answer = http.post(f"{REPOSITORY}/blobs/uploads/", params={"digest": str(sha256(blob))}, content=blob)
                assert answer.status_code == 201
            manifest = image([layer])
            place = f"{REPOSITORY}/manifests/{sha256(manifest)}"
            assert http.put(place, content=manifest, headers={"Content-Type": IMAGE}).status_code == 201
            if number % 3:
                told.kept[str(sha256(manifest))] = manifest
            else:
                assert http.delete(place).status_code == 202
                told.deleted.add(str(sha256(manifest)))


def check(url: str, told: Told) -> None:
    """Everything that was told is so, byte for byte."""
    with httpx.Client(base_url=url, timeout=30) as http:
        assert http.get("/health/ready").status_code == 200
        for digest, manifest in told.kept.items():
            assert http.get(f"{REPOSITORY}/manifests/{digest}").content == manifest
            layer = json.loads(manifest)["layers"][0]["digest"]
            assert str(sha256(http.get(f"{REPOSITORY}/blobs/{layer}").content)) == layer
        for digest in told.deleted:
            assert http.head(f"{REPOSITORY}/manifests/{digest}").status_code == 404


def command(*arguments: str | Path) -> dict[str, Any]:
    """What a command in a process of its own prints as JSON; it must succeed."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments), "--json"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_backup_while_the_store_serves(tmp_path: Path) -> None:
    """A backup under load is of one moment and has all that was acknowledged before it, as a server on it shows."""
    data, target, restored = tmp_path / "data", tmp_path / "backup", tmp_path / "restored"
    told, stop = Told(), threading.Event()
    fresh_config(data)
    with in_processes(data, "--workers", "2") as server:
        writers = [threading.Thread(target=write, args=(server.url, told, stop.is_set)) for _ in range(3)]
        for writer in writers:
            writer.start()
        try:
            wait_for(lambda: len(told.deleted) > 5)
            first = command("backup", target, "--data", data)
            wait_for(lambda: head(data) > first["sequence"] + 20)
            before = told.until_now()
            second = command("backup", target, "--data", data)
            during = head(data)
        finally:
            stop.set()
            for writer in writers:
                writer.join()
    assert first["sound"]
    assert second["sound"]
    assert first["sequence"] < second["sequence"] <= during
    assert second["present"] == first["objects"]
    assert second["copied"] == second["objects"] - first["objects"] > 0
    assert faults(target) == []
    assert command("restore", target, "--data", restored)["leaf_hash"] == second["leaf_hash"]
    with in_processes(restored) as server:
        check(server.url, before)


def test_served_backup_is_not_replaced(tmp_path: Path) -> None:
    """A backup can be served as it is; while it is, a backup over it is refused with a word, and a restore works."""
    data, target = tmp_path / "data", tmp_path / "backup"
    changed(data, lambda registry: push_image(registry, "acme/busy", "v1", [b"layer"]))
    document("backup", target, "--data", data)
    changed(data, lambda registry: push_blob(registry, "acme/busy", b"new"))
    with in_processes(target) as server:
        assert httpx.get(f"{server.url}{REPOSITORY}/manifests/v1").status_code == 200
        refused = run("backup", target, "--data", data)
        assert refused.exit_code == 5
        assert "open: end what serves or reads it first" in refused.stderr
        assert run("restore", target, "--data", tmp_path / "restored").exit_code == 0
        assert httpx.get(f"{server.url}{REPOSITORY}/manifests/v1").status_code == 200
    assert document("backup", target, "--data", data)["sequence"] == head(data)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with an image."""
    changed(tmp_path / "data", lambda registry: push_image(registry, "acme/one", "v1", [b"small", LARGE]))
    return tmp_path / "data"


def test_backup_and_restore_say_the_same(data: Path, tmp_path: Path) -> None:
    """Both print log, head and its leaf hash; `ls` and `replay --check` work on a backup as on any store."""
    backed_up = run("backup", tmp_path / "backup", "--data", data).stdout.splitlines()
    restored = run("restore", tmp_path / "backup", "--data", tmp_path / "restored").stdout.splitlines()
    assert backed_up == restored
    assert [line.split("  ")[0] for line in backed_up[:3]] == ["log", "head", "leaf hash"]
    assert "copied         4, " in backed_up[4]
    for directory in (data, tmp_path / "backup", tmp_path / "restored"):
        assert document("ls", "acme/one", "--data", directory) == document("ls", "acme/one", "--data", data)
        assert document("replay", "--check", "--data", directory)["differences"] == []


def test_damage_ends_with_6_and_is_listed(data: Path, tmp_path: Path) -> None:
    """A damaged object is a line with its digest and who needs it; the command ends with 6, the rest is copied."""
    object_path(data, LARGE).write_bytes(b"torn")
    done = run("backup", tmp_path / "backup", "--data", data)
    assert done.exit_code == 6
    listed = done.stdout.splitlines()[0].split("\t")
    assert (listed[0], listed[2]) == ("damaged", "351.6 KiB")
    assert listed[4].startswith("needed by acme/one, acme/one@sha256:")
    assert "damaged        1" in done.stdout
    told = json.loads(run("backup", tmp_path / "backup", "--data", data, "--json").stdout)
    assert (told["sound"], told["present"], told["damaged"][0]["digest"]) == (False, 3, listed[1])


def test_refusals_have_their_exits(data: Path, tmp_path: Path) -> None:
    """Each refusal says what is wrong and ends with the code of its kind."""
    assert run("backup", data, "--data", data).exit_code == 4
    assert run("backup", tmp_path / "backup", "--data", tmp_path / "nothing").exit_code == 7
    assert not (tmp_path / "backup").exists()
    nothing = run("restore", tmp_path / "nothing", "--data", tmp_path / "restored")
    assert nothing.exit_code == 7
    assert f"there is no backup in {tmp_path}/nothing" in nothing.stderr
    assert not (tmp_path / "restored").exists()
    changed(tmp_path / "other", lambda registry: push_blob(registry, "a/b", b"x"))
    document("backup", tmp_path / "backup", "--data", data)
    assert run("backup", tmp_path / "backup", "--data", tmp_path / "other").exit_code == 4
    assert run("restore", tmp_path / "backup", "--data", data).exit_code == 4


def test_interrupted_backup_goes_on(tmp_path: Path) -> None:
    """Ctrl-C ends a backup with 130 and no traceback; the next one copies only what that one had not."""
    data, target = tmp_path / "data", tmp_path / "backup"

    async def fill(registry: Any) -> None:
        for number in range(3000):
            await push_blob(registry, "acme/many", b"%d" % number)

    changed(data, fill)
    process = subprocess.Popen(
        [*COMMAND, "backup", str(target), "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        wait_for(lambda: len(list(target.glob("storage/objects/blake3/*/*/*"))) > 20)
        process.send_signal(signal.SIGINT)
        printed = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, ("", ""))
    assert [path.name for path in target.iterdir()] == ["storage"]
    report = document("backup", target, "--data", data)
    assert report["present"] > 20
    assert report["copied"] == 3000 - report["present"] > 0
