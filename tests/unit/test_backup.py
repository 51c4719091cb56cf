from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artifactstore import bootstrap
from artifactstore.backup import snapshot
from artifactstore.backup.report import CopyReport
from artifactstore.config import Config
from artifactstore.errors import (
    ArtifactStoreError,
    BackendUnavailable,
    DirectoryOccupied,
    LogCorrupt,
    LogRewound,
    ReadOnly,
    SchemaUnsupported,
)
from artifactstore.events.database import SqliteDatabase
from artifactstore.events.replay import Progress
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName
from artifactstore.registry.registry import Registry
from artifactstore.storage.files import OsFiles
from artifactstore.testing.faulty import Boundary, BoundaryFiles
from tests.backups import LARGE, changed, faults, head, object_path, open_upload
from tests.stores import push_blob, push_image, sha256

DATABASE = "artifactstore.sqlite"


async def fill(registry: Registry) -> None:
    """An image of two layers, a blob whose link is gone, and an open upload."""
    await push_image(registry, "acme/one", "v1", [b"first", LARGE])
    await push_blob(registry, "acme/two", b"unlinked")
    await registry.delete_blob(ANONYMOUS, RepositoryName("acme/two"), sha256(b"unlinked"))
    await open_upload(registry)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store."""
    changed(tmp_path / "store", fill)
    return tmp_path / "store"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the backup goes."""
    return tmp_path / "backup"


def backup(store: Path, target: Path, *, verify: bool = False) -> CopyReport:
    """Back the store in a directory up."""
    return bootstrap.backup(Config(data=str(store)), str(target), verify=verify)


def restore(source: Path, target: Path) -> CopyReport:
    """Restore a backup to a directory."""
    return bootstrap.restore(Config(data=str(target)), str(source))


def tree(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, with its bytes."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_backup_is_a_store(store: Path, target: Path) -> None:
    """What a backup leaves is one database file and every object that a fact names, whole, with nothing staged."""
    report = backup(store, target)
    assert (report.sound, report.sequence, report.objects, report.copied, report.present) == (
        True,
        head(store),
        5,
        5,
        0,
    )
    assert sorted(path.name for path in target.iterdir()) == [DATABASE, "storage"]
    assert faults(target) == []
    assert head(target) == head(store)
    assert not list((target / "storage" / "staging").iterdir())
    with closing(sqlite3.connect(target / DATABASE)) as connection:
        assert connection.execute("SELECT count(*) FROM upload_sessions").fetchone() == (0,)


def test_backup_reports_the_last_leaf(store: Path, target: Path) -> None:
    """The leaf hash in the report is that of the head, the same for backup and restore."""
    with closing(sqlite3.connect(store / DATABASE)) as connection:
        (leaf,) = connection.execute("SELECT leaf_hash FROM events ORDER BY sequence DESC LIMIT 1").fetchone()
    restored = target.with_name("restored")
    assert backup(store, target).leaf_hash == restore(target, restored).leaf_hash == leaf.hex()


def test_second_backup_copies_what_is_new(store: Path, target: Path) -> None:
    """A second backup leaves what is there alone and copies what came since."""
    backup(store, target)
    before = {path: path.stat().st_mtime_ns for path in (target / "storage" / "objects").rglob("*") if path.is_file()}
    changed(store, lambda registry: push_blob(registry, "acme/two", b"new"))
    report = backup(store, target)
    assert (report.copied, report.copied_bytes, report.present) == (1, 3, 5)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert head(target) == head(store)
    assert faults(target) == []


def test_older_objects_stay(store: Path, target: Path) -> None:
    """An object that no fact of the store names is left where it is."""
    backup(store, target)
    changed(target, lambda registry: registry.head())
    stray = target / "storage" / "objects" / "blake3" / "00" / "00" / ("0" * 64)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"older")
    backup(store, target)
    assert stray.read_bytes() == b"older"


def test_restored_store_is_the_same(store: Path, target: Path) -> None:
    """A restored store has the log, the views and the objects of the backup, and goes on from there."""
    backup(store, target)
    restored = target.with_name("restored")
    report = restore(target, restored)
    assert (report.sound, report.sequence, report.copied) == (True, head(store), 5)
    assert faults(restored) == []
    changed(restored, lambda registry: push_blob(registry, "acme/two", b"after"))
    assert head(restored) == head(store) + 1
    assert faults(restored) == []


def test_restore_to_configured_places(store: Path, target: Path, tmp_path: Path) -> None:
    """A restore puts database and objects where the settings say, a backup into one directory whatever they say."""
    config = Config(
        data=str(tmp_path / "none"),
        database_url=f"sqlite:///{tmp_path}/db/a.sqlite",
        storage_local_root=f"{tmp_path}/objects",
    )
    backup(store, target)
    assert bootstrap.restore(config, str(target)).sound
    assert (tmp_path / "db" / "a.sqlite").is_file()
    assert any((tmp_path / "objects" / "objects").rglob("*"))
    second = tmp_path / "second"
    assert bootstrap.backup(config, str(second)).copied == 5
    assert faults(second) == []


def test_backup_from_read_only_media(store: Path, target: Path) -> None:
    """A restore changes nothing in the backup, not the journal mode of its database either."""
    backup(store, target)
    before = tree(target)
    restore(target, target.with_name("restored"))
    assert tree(target) == before


def test_read_only_store_is_backed_up(store: Path, target: Path) -> None:
    """A store that is set to be read only can be backed up, and stays as it is; nothing is restored over such a one."""
    before = tree(store)
    read_only = Config(data=str(store), read_only=True)
    assert bootstrap.backup(read_only, str(target)).sequence == head(store)
    assert {name: data for name, data in tree(store).items() if not name.endswith(("-wal", "-shm"))} == before
    assert faults(target) == []
    with pytest.raises(ReadOnly):
        bootstrap.restore(replace(read_only, data=f"{store}-restored"), str(target))


@pytest.mark.parametrize("read_only", [False, True])
def test_store_in_an_unwritable_directory_is_backed_up(
    store: Path, target: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    """A store that was stopped cleanly, where this process may make no file, is copied and gets no file beside it."""
    before = tree(store)
    monkeypatch.setattr(os, "access", lambda path, mode: (Path(path), mode) != (store, os.W_OK))
    opened: list[str] = []
    connect = sqlite3.connect

    def watched(where: str, **how: Any) -> sqlite3.Connection:
        opened.append(where)
        connection: sqlite3.Connection = connect(where, **how)
        return connection

    monkeypatch.setattr(sqlite3, "connect", watched)
    assert bootstrap.backup(Config(data=str(store), read_only=read_only), str(target)).sound
    assert [where for where in opened if str(store) in where] == [f"file:{store}/{DATABASE}?mode=ro&immutable=1"]
    assert tree(store) == before
    assert faults(target) == []


def test_writer_ends_the_backup_of_an_unchanging_store(
    store: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who writes to a database while it is copied as one that never changes ends the copy, and nothing is backed up."""
    monkeypatch.setattr(os, "access", lambda path, mode: (Path(path), mode) != (store, os.W_OK))

    @contextmanager
    def writing(what: str, *, in_bytes: bool = False) -> Iterator[Progress]:
        yield lambda done, total: (store / f"{DATABASE}-wal").touch()

    with pytest.raises(BackendUnavailable, match="somebody writes"):
        bootstrap.backup(Config(data=str(store)), str(target), stage=writing)
    assert not (target / DATABASE).exists()


def test_backup_is_private_in_an_open_directory(store: Path, target: Path) -> None:
    """The database of a backup or a restored store is readable to nobody else, also in a directory that others read."""
    restored = target.with_name("restored")
    for directory, copying in ((target, backup), (restored, restore)):
        directory.mkdir(mode=0o755)
        assert copying(store, directory).sound
        assert (directory / DATABASE).stat().st_mode & 0o777 == 0o600


def test_directory_that_cannot_be_made_is_told(store: Path, target: Path) -> None:
    """A link to nowhere, where no directory can be made, is an error that names it."""
    target.symlink_to(target.with_name("nowhere"))
    with pytest.raises(BackendUnavailable, match=f"the directory {target} cannot be used"):
        backup(store, target)


async def nothing_stored(registry: Registry) -> None:
    """A log with its first event."""
    await registry.sweep()
    await open_upload(registry)


def test_another_log_is_refused(store: Path, target: Path, tmp_path: Path) -> None:
    """A backup of another log is refused and stays as it is."""
    changed(tmp_path / "other", nothing_stored)
    backup(tmp_path / "other", target)
    before = tree(target)
    with pytest.raises(LogRewound, match="another log"):
        backup(store, target)
    assert tree(target) == before


def test_a_backup_that_knows_more_is_refused(store: Path, target: Path, tmp_path: Path) -> None:
    """A backup whose events this log has not, since it was restored from an older one, is refused and stays."""
    older = tmp_path / "older"
    backup(store, older)
    changed(store, lambda registry: push_blob(registry, "acme/two", b"lost by the restore"))
    backup(store, target)
    before = tree(target)
    restored = tmp_path / "restored"
    restore(older, restored)
    with pytest.raises(LogRewound, match="events that this log has not"):
        backup(restored, target)
    changed(restored, lambda registry: push_blob(registry, "acme/two", b"another history"))
    changed(restored, lambda registry: push_blob(registry, "acme/two", b"and a longer one"))
    with pytest.raises(LogRewound, match="events that this log has not"):
        backup(restored, target)
    assert tree(target) == before


def test_foreign_directory_is_refused(store: Path, target: Path) -> None:
    """A directory with anything else in it is refused and stays as it is, for backup and restore alike."""
    target.mkdir()
    (target / "letters").write_text("dear")
    with pytest.raises(DirectoryOccupied, match="neither empty"):
        backup(store, target)
    with pytest.raises(DirectoryOccupied, match="neither empty"):
        restore(store, target)
    assert tree(target) == {"letters": b"dear"}


def test_foreign_database_is_refused(store: Path, target: Path) -> None:
    """So are a database of another kind, a file that is no directory, and a write-ahead log without its database."""
    target.mkdir()
    (target / DATABASE).touch()
    with pytest.raises(DirectoryOccupied, match="of this kind"):
        backup(store, target)
    (target / DATABASE).write_bytes(b"not SQLite at all" * 100)
    with pytest.raises(LogCorrupt):
        backup(store, target)
    (target / DATABASE).rename(target / f"{DATABASE}-wal")
    with pytest.raises(DirectoryOccupied) as refused:
        backup(store, target)
    assert refused.value.detail["found"] == [f"{target}/{DATABASE}-wal"]
    shutil.rmtree(target)
    target.touch()
    with pytest.raises(DirectoryOccupied, match="not a directory"):
        backup(store, target)


def test_own_directory_is_refused(store: Path, tmp_path: Path) -> None:
    """The store's own directory is refused under any name, and so is one that shares only the objects."""
    link = tmp_path / "link"
    link.symlink_to(store)
    before = tree(store)
    for directory in (store, link):
        with pytest.raises(DirectoryOccupied, match="own"):
            backup(store, directory)
    config = replace(Config(data=str(store)), storage_local_root=str(tmp_path / "shared" / "storage"))
    with pytest.raises(DirectoryOccupied, match="own"):
        bootstrap.backup(config, str(tmp_path / "shared"))
    assert tree(store) == before


def test_restore_over_a_store_is_refused(store: Path, target: Path, tmp_path: Path) -> None:
    """No store is ever restored over another, not even over the same."""
    backup(store, target)
    before = tree(store)
    with pytest.raises(DirectoryOccupied, match="there is a store"):
        restore(target, store)
    assert tree(store) == before


def test_open_backup_is_refused_and_whole(store: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody has the backup open, as one who serves it has, it is not replaced; afterwards it is."""
    monkeypatch.setattr(snapshot, "HELD_SECONDS", 0.1)
    backup(store, target)
    changed(store, lambda registry: push_blob(registry, "acme/two", b"new"))
    with closing(SqliteDatabase(str(target / DATABASE)).connect(read_only=True)) as reader:
        reader.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(BackendUnavailable, match="open"):
            backup(store, target)
    assert faults(target) == []
    assert head(target) == head(store) - 1
    assert backup(store, target).sequence == head(target) == head(store)


def test_left_write_ahead_log_stays_with_its_database(store: Path, target: Path) -> None:
    """What somebody who was killed left in the backup's write-ahead log never gets into the database that follows."""
    backup(store, target)
    changed(store, lambda registry: push_blob(registry, "acme/two", b"new"))
    code = (
        "import os, signal, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA journal_mode=WAL')\n"
        'connection.execute("UPDATE repositories SET created_at = 7")\n'
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(target / DATABASE)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (target / f"{DATABASE}-wal").stat().st_size > 0
    backup(store, target)
    assert not (target / f"{DATABASE}-wal").exists()
    assert faults(target) == []


def test_who_opened_the_earlier_database_is_told(store: Path, target: Path) -> None:
    """Who waits for the earlier database while it is replaced gets an error, and leaves nothing beside the new one."""
    backup(store, target)
    path = str(target / DATABASE)
    told: list[str] = []

    def late() -> None:
        try:
            SqliteDatabase(path).connect(read_only=True).close()
        except BackendUnavailable as error:
            told.append(error.message)

    waiting = threading.Thread(target=late)
    with snapshot.held(path):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        shutil.copy(path, f"{path}.new")
        os.rename(f"{path}.new", path)  # noqa: PTH104 - as install does
    waiting.join()
    assert len(told) == 1
    assert sorted(item.name for item in target.iterdir()) == [DATABASE, "storage"]
    assert faults(target) == []


def test_database_comes_last_and_synced(store: Path, target: Path) -> None:
    """Every object has its name before the database is synced, renamed, and its name synced, in that order."""
    seen: list[Boundary] = []
    files = BoundaryFiles(OsFiles(), seen.append)
    bootstrap.backup(replace(Config(data=str(store)), unsafe_no_sync=True), str(target), files=files)
    done = [(boundary.operation, boundary.path) for boundary in seen if boundary.done]
    named = f"{target}/{DATABASE}"
    install = [("sync_data", f"{named}.partial"), ("rename", named), ("sync_directory", str(target))]
    assert done[-3:] == install
    outside = [path for name, path in done[:-3] if name == "rename" and not path.startswith(f"{target}/storage")]
    assert outside == []
    assert sum(operation == "rename" for operation, _ in done) == 5 + 1


def test_only_one_copies_at_a_time(store: Path, target: Path) -> None:
    """A second backup to the same directory is refused while the first runs."""
    told: list[ArtifactStoreError] = []

    def meanwhile() -> None:
        with pytest.raises(BackendUnavailable, match="another copy") as refused:
            backup(store, target)
        told.append(refused.value)

    watch = Watch(meanwhile)
    assert bootstrap.backup(Config(data=str(store)), str(target), stage=watch).sound
    assert len(told) == 1


class Watch:
    """A Stage that notes what it is told, and does something at the first objects."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.meanwhile = meanwhile
        self.told: dict[str, list[tuple[int, int]]] = {}

    @contextmanager
    def __call__(self, what: str, *, in_bytes: bool = False) -> Iterator[Progress]:
        if in_bytes:
            self.meanwhile()
        told = self.told.setdefault(what, [])
        yield lambda done, total: told.append((done, total))


def test_progress_ends_with_all(store: Path, target: Path) -> None:
    """Each stage is told of, database in pages and objects in bytes, and those end with all of them."""
    watch = Watch(lambda: None)
    report = bootstrap.backup(Config(data=str(store)), str(target), stage=watch)
    assert list(watch.told) == ["copying the database", "checking the log", "copying objects"]
    assert watch.told["copying objects"][-1] == (report.bytes, report.bytes)
    pages, total = watch.told["copying the database"][-1]
    assert pages == total > 0


def spoil(path: Path) -> None:
    """Flip one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_damaged_objects_are_listed_and_the_rest_is_copied(store: Path, target: Path) -> None:
    """Flipped, short and missing objects are named with who needs them; everything sound is in the backup."""
    spoil(object_path(store, LARGE))
    object_path(store, b"first").write_bytes(b"fir")
    object_path(store, b"unlinked").unlink()
    report = backup(store, target)
    assert not report.sound
    assert (report.copied, len(report.damaged)) == (2, 3)
    found = {damage.size: damage for damage in report.damaged}
    assert [name.partition("@")[0] for name in found[len(LARGE)].named_by] == ["acme/one", "acme/one"]
    assert found[len(b"unlinked")].named_by == ()
    assert found[len(b"unlinked")].problem == "the storage does not hold this object"
    assert "fewer bytes" in found[len(b"first")].problem
    assert head(target) == head(store)
    assert len(faults(target)) == 3
    assert "missing" in faults(target)[0]


def test_repaired_object_is_copied_later(store: Path, target: Path) -> None:
    """An object that was damaged at the first backup is in the second, once it is sound."""
    path = object_path(store, LARGE)
    spoil(path)
    backup(store, target)
    path.write_bytes(LARGE)
    assert (backup(store, target).copied, faults(target)) == (1, [])


def test_sound_backup_outlives_a_damaged_store(store: Path, target: Path) -> None:
    """What was backed up sound stays sound when the store's own copy is damaged later."""
    backup(store, target)
    spoil(object_path(store, LARGE))
    assert backup(store, target).sound
    assert faults(target) == []


def test_verify_repairs_the_backup(store: Path, target: Path) -> None:
    """--verify finds a bit that flipped in the backup, and brings the object again; a short one is always noticed."""
    backup(store, target)
    spoil(object_path(target, LARGE))
    object_path(target, b"first").write_bytes(b"")
    report = backup(store, target)
    assert (report.replaced, report.present, report.sound) == (1, 4, True)
    assert len(faults(target)) == 2, "the flipped one has two digests that differ"
    report = backup(store, target, verify=True)
    assert (report.replaced, report.present, report.sound) == (1, 4, True)
    assert faults(target) == []


def test_damaged_copy_stays_while_there_is_no_better(store: Path, target: Path) -> None:
    """A copy that is damaged in both places is listed, and what there is of it is not removed."""
    backup(store, target)
    spoil(object_path(store, LARGE))
    spoil(object_path(target, LARGE))
    report = backup(store, target, verify=True)
    assert [damage.size for damage in report.damaged] == [len(LARGE)]
    assert "the copy that is there is damaged too" in report.damaged[0].problem
    assert object_path(target, LARGE).exists()


def test_restore_finds_a_flipped_bit_in_an_object(store: Path, target: Path) -> None:
    """A damaged object of a backup is listed by the restore, and does not get into the store."""
    backup(store, target)
    spoil(object_path(target, LARGE))
    restored = target.with_name("restored")
    report = restore(target, restored)
    assert [damage.size for damage in report.damaged] == [len(LARGE)]
    assert not object_path(restored, LARGE).exists()


def test_restore_goes_on_where_it_was_interrupted(store: Path, target: Path) -> None:
    """What an interrupted restore left is read again, not trusted, and what is sound is not copied again."""
    backup(store, target)
    restored = target.with_name("restored")
    restore(target, restored)
    (restored / DATABASE).unlink()
    spoil(object_path(restored, LARGE))
    report = restore(target, restored)
    assert (report.copied, report.replaced, report.present) == (1, 1, 4)
    assert faults(restored) == []


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE events SET payload = x'a0' WHERE sequence = 3",
        "UPDATE events SET leaf_hash = zeroblob(32) WHERE sequence = 4",
        "DELETE FROM events WHERE sequence = 5",
        "UPDATE log_head SET sequence = sequence + 1",
    ],
)
def test_damaged_log_is_never_copied(store: Path, target: Path, forgery: str) -> None:
    """A log that differs from its hashes, its sequence or its head replaces no earlier backup, and is not restored."""
    backup(store, target)
    with closing(sqlite3.connect(store / DATABASE)) as connection:
        connection.execute(forgery)
        connection.commit()
    with pytest.raises(LogCorrupt):
        backup(store, target)
    assert faults(target) == []
    with pytest.raises(LogCorrupt):
        restore(store, target.with_name("restored"))
    assert not (target.with_name("restored") / DATABASE).exists()


def test_log_of_another_name_is_never_copied(store: Path, target: Path) -> None:
    """A head that names another log than the first event does is found."""
    with closing(sqlite3.connect(store / DATABASE)) as connection:
        connection.execute("UPDATE log_head SET log_id = 'another'")
        connection.commit()
    with pytest.raises(LogCorrupt):
        backup(store, target)


def test_every_flipped_page_of_a_backup_is_found(store: Path, target: Path) -> None:
    """A page of the backup's database that was overwritten is found by the restore, whichever it is."""
    backup(store, target)
    path = target / DATABASE
    sound = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    assert free == 0
    for page in range(0, len(sound), 4096):
        path.write_bytes(sound[:page] + os.urandom(4096) + sound[page + 4096 :])
        with pytest.raises((LogCorrupt, SchemaUnsupported)):
            restore(target, target.with_name("restored"))


def test_views_that_differ_are_told(store: Path, target: Path) -> None:
    """A view that differs from the log is told of: by a backup where it hides an object, by a restore always."""
    with closing(sqlite3.connect(store / DATABASE)) as connection:
        connection.execute("UPDATE tags SET tag = 'forged'")
        connection.commit()
    assert backup(store, target).sound
    assert not backup(store, target, verify=True).sound
    report = restore(target, target.with_name("restored"))
    assert "forged" in report.differences[0]
    with closing(sqlite3.connect(store / DATABASE)) as connection:
        connection.execute("DELETE FROM storage_locations")
        connection.commit()
    differences = backup(store, target).differences
    assert len(differences) == 5
    assert "the view does not" in differences[0]
