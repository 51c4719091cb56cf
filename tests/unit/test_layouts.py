"""OCI image layouts as others make them, and as nobody should: read as if a stranger had written every byte."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifactstore import bootstrap
from artifactstore.errors import (
    ArtifactStoreError,
    BackendUnavailable,
    BlobUnknown,
    DigestInvalid,
    DirectoryOccupied,
    ManifestInvalid,
    ManifestUnknown,
    ParameterInvalid,
    SizeExceeded,
    SizeInvalid,
)
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.manifest.media_types import OCI_INDEX, OCI_MANIFEST
from artifactstore.registry.registry import Registry
from artifactstore.storage.files import OsFiles
from artifactstore.transfer import (
    Content,
    LocalRepository,
    Root,
    copy,
    layout_tar,
    layout_target,
    new_layout,
    open_layout,
)
from artifactstore.transfer.layout import INDEX, MARK, MARK_BYTES, NATIVE, REF_NAME, LayoutIndex
from artifactstore.transfer.layout_directory import UNFINISHED
from tests.stores import descriptor, image, index, push_image, push_manifest, sha256
from tests.transfers import HERE, V1, populate, whole

Files = dict[str, bytes]
Change = Callable[[Files], object]


def made(*, tag: str | None = "v1", **annotations: str) -> Files:
    """The files of a layout with one image of one layer."""
    manifest = image([b"layer"])
    named = {**({REF_NAME: tag} if tag else {}), **annotations}
    entry = descriptor(manifest, OCI_MANIFEST, annotations=named)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    blobs = {f"blobs/sha256/{sha256(data).hex}": data for data in (manifest, b"layer", b"{}")}
    return {MARK: MARK_BYTES, INDEX: json.dumps(index).encode(), **blobs}


MANIFEST = f"blobs/sha256/{sha256(image([b'layer'])).hex}"
LAYER = f"blobs/sha256/{sha256(b'layer').hex}"


def archived(files: Files, path: Path, *more: tarfile.TarInfo) -> Path:
    """An archive of them, the index last, with a dot before each name as `tar -C` makes it."""
    with tarfile.open(path, "w") as archive:
        for name in sorted(files, key=lambda name: name == INDEX):
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
        for entry in more:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return path


def unpacked(files: Files, root: Path) -> Path:
    """A directory of them."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def names(root: Path) -> list[str]:
    """Everything below a directory."""
    return sorted(path.name for path in root.rglob("*"))


def modes(root: Path) -> set[int]:
    """Who may read the files below a directory."""
    return {path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_file()}


@pytest.fixture(params=["tar", "directory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Files], Path]:
    """Keeps the files of a layout, in either form."""
    if request.param == "tar":
        return lambda files: archived(files, tmp_path / "layout.tar")
    return lambda files: unpacked(files, tmp_path / "layout")


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    """A store to import into."""
    opened = bootstrap.open_memory()
    yield opened
    await opened.close()


async def imported(registry: Registry, place: Path) -> None:
    """Import all of a layout."""
    async with await open_layout(place) as layout:
        for part in await layout.parts(RepositoryName("to/there"), None):
            target = LocalRepository(registry, ANONYMOUS, part.repository)
            await copy(part.source, target, part.roots, referrers=True)


async def test_a_layout_of_others_is_read(kept: Callable[[Files], Path], registry: Registry) -> None:
    """Whatever the order of its files, and with a dot before their names, a layout is read and its tag set."""
    await imported(registry, kept(made()))
    found = await registry.resolve(ANONYMOUS, RepositoryName("to/there"), V1)
    assert found.digest == sha256(image([b"layer"]))


def json_of(name: str, **fields: Any) -> Change:
    """Change fields of a JSON file."""
    return lambda files: files.update({name: json.dumps(json.loads(files[name]) | fields).encode()})


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda files: files.pop(LAYER), BlobUnknown, LAYER),
        (lambda files: files.pop(MANIFEST), ManifestUnknown, MANIFEST),
        (lambda files: files.update({LAYER: b"LAYER"}), DigestInvalid, LAYER),
        (lambda files: files.update({LAYER: b"layer and more"}), SizeInvalid, LAYER),
        (lambda files: files.update({MANIFEST: files[MANIFEST] + b" "}), SizeInvalid, MANIFEST),
        (lambda files: files.update({MANIFEST: files[MANIFEST].replace(b"2", b"3")}), DigestInvalid, MANIFEST),
        (lambda files: files.pop(MARK), ManifestInvalid, f"no {MARK}"),
        (lambda files: files.pop(INDEX), ManifestInvalid, f"no {INDEX}"),
        (lambda files: files.update({INDEX: b"[]"}), ManifestInvalid, INDEX),
        (json_of(INDEX, manifests=[{"mediaType": OCI_MANIFEST}]), ManifestInvalid, INDEX),
        (json_of(INDEX, annotations={f"{NATIVE}sha256:0": "x"}), DigestInvalid, INDEX),
        (lambda files: files.update({MARK: b'{"imageLayoutVersion": "2.0.0"}'}), ManifestInvalid, "no version"),
        (lambda files: files.update({MARK: b"[" * 60_000}), ManifestInvalid, "no version"),
        (lambda files: files.update({MARK: b'"1.0.0"'}), ManifestInvalid, "no version"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_tagged(
    change: Change,
    error: type[ArtifactStoreError],
    words: str,
    kept: Callable[[Files], Path],
    registry: Registry,
) -> None:
    """A layout with something missing, changed or unreadable is refused with the path of it, and leaves no tag."""
    files = made()
    change(files)
    with pytest.raises(error) as raised:
        await imported(registry, kept(files))
    assert words in raised.value.message
    with pytest.raises(ArtifactStoreError):
        await registry.resolve(ANONYMOUS, RepositoryName("to/there"), V1)


def entry(name: str, **fields: Any) -> tarfile.TarInfo:
    """A header of an archive."""
    made = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(made, field, value)
    return made


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        (entry("../outside"), "leads out"),
        (entry("blobs/../../outside"), "leads out"),
        (entry("/etc/passwd"), "leads out"),
        (entry("blobs/sha256/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "no plain file"),
        (entry("blobs/sha256/link", type=tarfile.LNKTYPE, linkname="index.json"), "no plain file"),
        (entry("blobs/sha256/device", type=tarfile.CHRTYPE), "no plain file"),
        (entry(INDEX), "twice"),
        (entry(f"blobs//sha256/./{sha256(b'layer').hex}"), "twice"),
    ],
)
async def test_a_hostile_archive_is_refused(hostile: tarfile.TarInfo, words: str, tmp_path: Path) -> None:
    """Names that lead out, links, devices and files that are there twice end the reading of the whole archive."""
    with pytest.raises(ManifestInvalid, match=words):
        await open_layout(archived(made(), tmp_path / "layout.tar", hostile))


async def test_what_is_beside_a_layout_does_no_harm(tmp_path: Path, registry: Registry) -> None:
    """Other files of an archive, links among them, are nobody's business: Docker writes both formats into one."""
    link = entry("0123/layer.tar", type=tarfile.SYMTYPE, linkname="../4567/layer.tar")
    files = {**made(), "manifest.json": b"[]", "repositories": b"{}"}
    await imported(registry, archived(files, tmp_path / "layout.tar", link, entry("blobs", type=tarfile.DIRTYPE)))


@pytest.mark.parametrize("length", [0, 100, 512, 1000, 3000])
async def test_a_cut_off_archive_is_refused(length: int, tmp_path: Path) -> None:
    """Wherever an archive ends too early, it is no layout or ends in the middle of a file."""
    path = archived(made(), tmp_path / "layout.tar")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ManifestInvalid):
        await open_layout(path)


async def test_an_archive_that_becomes_shorter_is_noticed(tmp_path: Path, registry: Registry) -> None:
    """What is missing when it is read is said, not made up."""
    path = archived(made(), tmp_path / "layout.tar")
    async with await open_layout(path) as layout:
        path.write_bytes(b"")
        with pytest.raises(BackendUnavailable, match="became shorter"):
            await whole(layout).manifest(await whole(layout).resolve(V1))


async def test_a_header_that_would_fill_memory_is_refused(tmp_path: Path) -> None:
    """A long name of gigabytes is refused by what its header says, before it is read."""
    path = tmp_path / "layout.tar"
    header = entry("long", type=tarfile.GNUTYPE_LONGNAME, size=4 << 30).tobuf()
    path.write_bytes(header + bytes(1 << 16))
    with pytest.raises(ManifestInvalid, match="entry of 4294967296 bytes"):
        await open_layout(path)


async def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    """Any number of headers before one file, or for all files, would fill memory as one large one does."""
    path = tmp_path / "layout.tar"
    good = archived(made(), path).read_bytes()
    fields = b"1000012 key=" + b"v" * 999_999 + b"\n"
    some_file = entry("a file").tobuf()

    def header(kind: bytes) -> bytes:
        return entry("pax", type=kind, size=len(fields)).tobuf() + fields + bytes(-len(fields) % 512)

    for hostile in (header(tarfile.XHDTYPE) * 5, (header(tarfile.XGLTYPE) + some_file) * 5):
        path.write_bytes(hostile + good)
        with pytest.raises(ManifestInvalid, match="bytes of headers"):
            await open_layout(path)
    path.write_bytes((header(tarfile.XHDTYPE) + some_file) * 5 + good)
    async with await open_layout(path) as layout:
        assert layout.index.entries


async def test_an_entry_that_leads_back_is_refused(tmp_path: Path) -> None:
    """A size below zero, in a header or in what describes one, would have the archive read for ever."""
    path = tmp_path / "layout.tar"
    good = archived(made(), path).read_bytes()
    pax = b"17 size=-0001536\n"
    described = entry("pax", type=tarfile.XHDTYPE, size=len(pax)).tobuf() + pax.ljust(512, b"\0")
    for hostile in (entry("negative", size=-512).tobuf(tarfile.GNU_FORMAT), described + entry("file").tobuf()):
        path.write_bytes(hostile + good)
        with pytest.raises(ManifestInvalid):
            await open_layout(path)


@given(st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=12)), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_a_damaged_archive_is_read_or_refused(changes: list[tuple[int, bytes]]) -> None:
    """Whatever bytes are changed, reading the archive ends, with a layout or with a refusal of ours."""
    with TemporaryDirectory() as folder:
        path = archived(made(), Path(folder, "layout.tar"))
        data = bytearray(path.read_bytes())
        for position, written in changes:
            data[position : position + len(written)] = written
        path.write_bytes(data)

        async def read() -> None:
            async with await open_layout(path) as layout:
                for part in await layout.parts(HERE, None):
                    for root in part.roots:
                        await part.source.manifest(await part.source.resolve(root.reference))

        with suppress(ArtifactStoreError):
            asyncio.run(read())


@pytest.mark.parametrize(
    ("first", "words"),
    [(b"\x1f\x8b\x08\x00", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04" * 200, "not a tar archive")],
)
async def test_other_archives_are_told_apart(first: bytes, words: str, tmp_path: Path) -> None:
    """A compressed archive is named as what it is; anything else is not an archive."""
    path = tmp_path / "layout.tar"
    path.write_bytes(first + bytes(1024))
    with pytest.raises(ManifestInvalid, match=words):
        await open_layout(path)


async def test_a_docker_archive_says_what_to_do(tmp_path: Path) -> None:
    """What only `docker save` reads is refused with the way to make a layout of it."""
    with pytest.raises(ManifestInvalid, match="skopeo copy docker-archive"):
        await open_layout(archived({"manifest.json": b"[]"}, tmp_path / "docker.tar"))
    with pytest.raises(ParameterInvalid):
        await open_layout(tmp_path / "nothing")


async def test_one_tag_names_one_manifest(tmp_path: Path) -> None:
    """What is meant by a tag for the whole is the entry of that tag, else the only one; else it must be said."""
    async with await open_layout(unpacked(made(), tmp_path / "one")) as layout:
        for tag in ("v1", "else"):
            [part] = await layout.parts(HERE, TagName(tag))
            assert [(root.reference, root.tag) for root in part.roots] == [(sha256(image([b"layer"])), tag)]
    two = made()
    entries = json.loads(two[INDEX])["manifests"]
    second = {**entries[0], "annotations": {REF_NAME: "v2"}, "digest": str(sha256(b"second"))}
    json_of(INDEX, manifests=[*entries, second])(two)
    async with await open_layout(unpacked(two, tmp_path / "two")) as layout:
        [part] = await layout.parts(HERE, TagName("v2"))
        assert part.roots[0].reference == sha256(b"second")
        with pytest.raises(ParameterInvalid) as raised:
            await layout.parts(HERE, TagName("else"))
        assert raised.value.detail == {"names": ["v1", "v2"]}


async def test_a_forged_native_manifest_is_found_out(tmp_path: Path, registry: Registry) -> None:
    """One that has its digest and says something else of the package is refused, and nothing is tagged."""
    await populate(registry)
    async with new_layout(tmp_path / "layout") as writer:
        await copy(LocalRepository(registry, ANONYMOUS, HERE), writer.target(HERE), [Root(TagName("one"), V1)])
        await writer.finish()
    index = json.loads((tmp_path / "layout" / INDEX).read_bytes())
    [name] = [name for name in index["annotations"] if name.startswith(NATIVE)]
    real = tmp_path / "layout" / "blobs/blake3" / index["annotations"][name].partition(":")[2]
    forged = real.read_bytes().replace(b"file-0", b"file-X")
    digest = digest_bytes("blake3", forged)
    index["annotations"][name] = str(digest)
    unpacked({INDEX: json.dumps(index).encode(), f"blobs/blake3/{digest.hex}": forged}, tmp_path / "layout")
    with pytest.raises(ManifestInvalid, match="native manifest") as raised:
        await imported(registry, tmp_path / "layout")
    assert raised.value.detail == {"differing": ["files"]}
    with pytest.raises(ManifestUnknown):
        await registry.resolve(ANONYMOUS, RepositoryName("to/there"), V1)
    real.unlink()
    (tmp_path / "layout" / f"blobs/blake3/{digest.hex}").write_bytes(b"other")
    with pytest.raises(DigestInvalid, match="native manifest"):
        await imported(registry, tmp_path / "layout")


async def test_what_others_wrote_into_a_layout_stays(tmp_path: Path, registry: Registry) -> None:
    """An export into a layout that is there adds to it: entries, platforms and annotations of others are kept."""
    files = made(**{"of.others": "kept"})
    platform = {"os": "linux", "architecture": "arm64"}
    entries = json.loads(files[INDEX])["manifests"]
    json_of(INDEX, manifests=[{**entries[0], "platform": platform}], annotations={"top": "kept"})(files)
    place = unpacked(files, tmp_path / "layout")
    await populate(registry)
    async with new_layout(place) as writer:
        await copy(LocalRepository(registry, ANONYMOUS, HERE), writer.target(HERE), [Root(TagName("one"), V1)])
        await writer.finish()
    index = json.loads((place / INDEX).read_bytes())
    assert index["annotations"]["top"] == "kept"
    [theirs] = [item for item in index["manifests"] if "platform" in item]
    assert (theirs["platform"], theirs["annotations"]) == (platform, {"of.others": "kept", REF_NAME: "v1"})
    assert sorted(item["annotations"][REF_NAME] for item in index["manifests"]) == [f"{HERE}:v1", "v1"]


async def test_what_another_repository_lists_is_listed_all_the_same(tmp_path: Path, registry: Registry) -> None:
    """A manifest named by digest is in the layout's index though an index of another repository has it as a member."""
    ours, theirs = RepositoryName("acme/a"), RepositoryName("acme/b")
    body, _ = await push_image(registry, ours, "x", [b"x"])
    await push_image(registry, theirs, "x", [b"x"])
    await push_manifest(registry, theirs, "v1", index([body]), OCI_INDEX)
    async with new_layout(tmp_path / "both.tar") as writer:
        await copy(LocalRepository(registry, ANONYMOUS, ours), writer.target(ours), [Root(sha256(body))])
        await copy(LocalRepository(registry, ANONYMOUS, theirs), writer.target(theirs), [Root(V1, V1)])
        await writer.finish()
    async with await open_layout(tmp_path / "both.tar") as layout:
        assert layout.index.repositories == [ours, theirs]
        for part in await layout.parts(None, None):
            native, _ = await registry.native_manifest(ANONYMOUS, part.repository, sha256(body))
            assert (await part.source.manifest(await part.source.resolve(sha256(body)))).native == native


async def test_a_native_manifest_may_be_named_for_every_repository(tmp_path: Path, registry: Registry) -> None:
    """An annotation with a digest alone tells of the native manifest of whichever repository's manifest."""
    await populate(registry)
    place = tmp_path / "layout"
    async with new_layout(place) as writer:
        await copy(LocalRepository(registry, ANONYMOUS, HERE), writer.target(HERE), [Root(TagName("one"), V1)])
        await writer.finish()
    body = (place / INDEX).read_bytes()
    assert f"{NATIVE}{HERE}@".encode() in body
    (place / INDEX).write_bytes(body.replace(f"{NATIVE}{HERE}@".encode(), NATIVE.encode()))
    async with await open_layout(place) as layout:
        [part] = await layout.parts(None, None)
        assert (await part.source.manifest(await part.source.resolve(V1))).native is not None


async def exported(registry: Registry, place: Path) -> None:
    """Export an image into a layout."""
    async with new_layout(place) as writer:
        await copy(LocalRepository(registry, ANONYMOUS, HERE), writer.target(HERE), [Root(TagName("one"), V1)])
        await writer.finish()


async def test_a_damaged_file_is_written_again(tmp_path: Path, registry: Registry) -> None:
    """A blob of the right name and size that has other bytes is not relied on by the next export."""
    await populate(registry)
    place = tmp_path / "layout"
    await exported(registry, place)
    layer = place / f"blobs/sha256/{sha256(b'one' * 1000).hex}"
    layer.write_bytes(b"x" * 3000)
    await exported(registry, place)
    assert layer.read_bytes() == b"one" * 1000


async def test_a_directory_that_cannot_be_opened_is_written_into(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the directory of an archive may be written and not read, the archive is there all the same."""

    def sync(_: OsFiles, path: str) -> None:
        raise PermissionError

    monkeypatch.setattr(OsFiles, "sync_directory", sync)
    await populate(registry)
    await exported(registry, tmp_path / "layout.tar")
    assert names(tmp_path) == ["layout.tar"]


async def test_one_export_at_a_time_writes_into_a_directory(tmp_path: Path, registry: Registry) -> None:
    """A second one is refused while the first is under way, and goes on when that is done or given up."""
    await populate(registry)
    place = tmp_path / "layout"
    with suppress(RuntimeError):
        async with new_layout(place):
            with pytest.raises(DirectoryOccupied):
                await exported(registry, place)
            raise RuntimeError
    await exported(registry, place)
    await exported(registry, place)


async def test_what_a_killed_export_left_is_no_hindrance(tmp_path: Path, registry: Registry) -> None:
    """A directory with nothing but half a file of an export is written into, and every half is gone."""
    await populate(registry)
    place = unpacked({f"{UNFINISHED}0123": b"half"}, tmp_path / "layout")
    await exported(registry, place)
    unpacked({f"blobs/sha256/{UNFINISHED}4567": b"half"}, place)
    await exported(registry, place)
    assert not [name for name in names(place) if name.startswith(UNFINISHED)]


@pytest.mark.parametrize("name", ["layout", "layout.tar"])
async def test_an_export_is_durable_and_as_private_as_was_asked(
    name: str, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Directories are synced, those of blobs before the index is there, and what others may read the umask says."""
    synced: list[tuple[str, bool]] = []

    def sync(_: OsFiles, path: str) -> None:
        synced.append((Path(path).name, (tmp_path / name / INDEX).exists()))

    monkeypatch.setattr(OsFiles, "sync_directory", sync)
    await populate(registry)
    before = os.umask(0o077)
    try:
        await exported(registry, tmp_path / name)
    finally:
        os.umask(before)
    assert modes(tmp_path) == {0o600}
    if name == "layout":
        assert {("sha256", False), ("blobs", False), ("layout", False), ("layout", True)} <= set(synced)
    else:
        assert synced == [(tmp_path.name, False)]


@pytest.mark.parametrize("limit", ["INDEX_SIZE_MAX", "MANIFEST_SIZE_MAX", "FILES_MAX"])
async def test_what_would_not_be_read_is_not_written(
    limit: str, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export beyond what an import reads is refused, and leaves no archive."""
    await populate(registry)
    monkeypatch.setattr(layout_tar if limit == "FILES_MAX" else layout_target, limit, 5)
    with pytest.raises(SizeExceeded):
        await exported(registry, tmp_path / "layout.tar")
    assert names(tmp_path) == []


async def test_who_stops_looking_for_referrers_leaves_nobody_looking(tmp_path: Path, registry: Registry) -> None:
    """A copy that ends while a layout is searched leaves no task behind, and the next one searches again."""
    await populate(registry)
    await exported(registry, tmp_path / "layout")
    async with await open_layout(tmp_path / "layout") as layout:
        source, before = whole(layout), asyncio.all_tasks()

        async def ask() -> list[Content]:
            return [each async for each in source.referrers(layout.index.entries[0].content.digest)]

        asking = asyncio.create_task(ask())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait((asking,))
        assert asyncio.all_tasks() == before
        assert await ask() == []


async def test_only_layouts_are_added_to(tmp_path: Path, registry: Registry) -> None:
    """A directory that holds something else is not written into, and an archive that fails is not left behind."""
    unpacked({"precious": b"data"}, tmp_path / "other")
    with pytest.raises(ManifestInvalid, match="no layout"):
        async with new_layout(tmp_path / "other"):
            pass
    with pytest.raises(RuntimeError):
        async with new_layout(tmp_path / "new.tar"):
            raise RuntimeError
    assert names(tmp_path) == ["other", "precious"]


async def test_an_archive_whose_source_fails_is_not_left_behind(tmp_path: Path, registry: Registry) -> None:
    """A blob that is no longer what it was when its turn comes ends the writing, and there is no file."""
    place = unpacked(made(), tmp_path / "layout")

    async def export() -> None:
        async with await open_layout(place) as layout, new_layout(tmp_path / "new.tar") as writer:
            await copy(whole(layout), writer.target(HERE), [Root(V1, V1)])
            (place / LAYER).write_bytes(b"LAYER")
            await writer.finish()

    with pytest.raises(DigestInvalid):
        await export()
    assert "new.tar" not in names(tmp_path)


def test_an_index_is_its_own_reading() -> None:
    """What is written is read back the same, and written again is the same bytes."""
    body = json.dumps(json.loads(made()[INDEX])).encode()
    once = LayoutIndex.parse(body).to_bytes()
    assert LayoutIndex.parse(once).to_bytes() == once
    assert LayoutIndex.parse(once) == LayoutIndex.parse(body)
    assert LayoutIndex.parse(b'{"schemaVersion": 2, "manifests": null}').entries == ()
