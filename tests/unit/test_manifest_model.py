"""The native manifest: what its format allows, and where it says what it does not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from artifactstore.errors import ManifestInvalid
from artifactstore.manifest.model import NativeManifest, is_rfc3339

Change = Callable[[dict[str, Any]], object]


def content(letter: str) -> dict[str, str]:
    """The two digests of some content."""
    return {"blake3": "blake3:" + letter * 64, "sha256": "sha256:" + letter * 64}


def receipt(letter: str, size: int) -> dict[str, Any]:
    """A storage receipt of some content."""
    return {"content_address": "blake3:" + letter * 64, "size": size, "digests": content(letter)}


def file(position: int, letter: str, size: int, **more: Any) -> dict[str, Any]:
    """A file with known content."""
    return {"position": position, "media_type": "text/plain", "size": size, "digests": content(letter)} | more


NATIVE: dict[str, Any] = {
    "manifest_version": 1,
    "package": {
        "repository": "acme/reports",
        "kind": "acme.report",
        "created": "2025-10-11T12:00:00Z",
        "schema": "acme.report/1",
        "metadata": {"suite": {"passed": 3, "ratio": 0.5, "skipped": None}},
    },
    "files": [
        file(0, "b", 2, path="B.txt"),
        file(1, "a", 1, path="a/one.txt", metadata={"mode": 420}),
        file(2, "b", 2, path="a/two.txt"),
    ],
    "storage_receipts": [receipt("a", 1), receipt("b", 2)],
    "retention_summary": {"class": "release"},
    "provenance": {
        "origin": "native",
        "relations": [{"relation": "subject", "digest": "sha256:" + "c" * 64, "media_type": "a/b", "size": 9}],
    },
}

OCI: dict[str, Any] = {
    "manifest_version": 1,
    "package": {"repository": "acme/app", "kind": "x/y", "metadata": {}},
    "files": [
        file(0, "a", 1),
        file(1, "a", 1, path="../as it was pushed"),
        file(2, "d", 5) | {"digests": {"sha512": "sha512:" + "d" * 128}},
    ],
    "storage_receipts": [receipt("a", 1), receipt("c", 2)],
    "retention_summary": {},
    "provenance": {
        "origin": "oci",
        "relations": [
            {
                "relation": "subject",
                "digest": "sha256:" + "e" * 64,
                "media_type": "a/b",
                "size": 9,
                "artifact_type": "t/t",
                "annotations": {"k": "v"},
            },
            {"relation": "member", "digest": "sha256:" + "f" * 64, "media_type": "a/b", "size": 9},
        ],
        "oci": {
            "media_type": "m/t",
            "artifact_type": "t/t",
            "digests": content("9"),
            "size": 700,
            "config": {"media_type": "c/t", "size": 2, "digests": content("c") | {"sha512": "sha512:" + "c" * 128}},
        },
    },
}


@pytest.mark.parametrize("value", [NATIVE, OCI])
def test_a_manifest_survives_the_round_trip(value: dict[str, Any]) -> None:
    """Value to parts to bytes and back loses nothing and adds nothing."""
    manifest = NativeManifest.from_value(value)
    assert manifest.to_value() == value
    assert NativeManifest.from_cbor(manifest.to_cbor()) == manifest


def test_known_content_has_an_address() -> None:
    """A file tells its content address when its content was known, and none when it was not."""
    files = NativeManifest.from_value(OCI).files
    assert [item.content_address for item in files] == ["blake3:" + "a" * 64, "blake3:" + "a" * 64, None]


TWO_NAMES = {"x": "x:1", "z": "z:1"}


def put(*steps: Any) -> Change:
    """A change that puts the last of `steps` where the others lead."""

    def change(value: dict[str, Any]) -> None:
        *way, key, new = steps
        place: Any = value
        for name in way:
            place = place[name]
        place[key] = new

    return change


def drop(*steps: Any) -> Change:
    """A change that takes away what `steps` lead to."""

    def change(value: dict[str, Any]) -> None:
        *way, key = steps
        place: Any = value
        for name in way:
            place = place[name]
        del place[key]

    return change


@pytest.mark.parametrize(
    ("base", "change", "path"),
    [
        (NATIVE, put("manifest_version", 2), "/manifest_version"),
        (NATIVE, drop("manifest_version"), "/manifest_version"),
        (NATIVE, put("extra", 1), "/extra"),
        (NATIVE, drop("files"), "/files"),
        (NATIVE, put("files", {}), "/files"),
        (NATIVE, put("package", "x"), "/package"),
        (NATIVE, put("package", "kind", ""), "/package/kind"),
        (NATIVE, put("package", "repository", 7), "/package/repository"),
        (NATIVE, put("package", "created", "yesterday"), "/package/created"),
        (NATIVE, put("package", "metadata", None), "/package/metadata"),
        (NATIVE, put("package", "actor", "x"), "/package/actor"),
        (NATIVE, put("retention_summary", "class", ""), "/retention_summary/class"),
        (NATIVE, put("retention_summary", "until", "x"), "/retention_summary/until"),
        (NATIVE, put("files", 1, "position", 7), "/files/1/position"),
        (NATIVE, put("files", 1, "position", True), "/files/1/position"),
        (NATIVE, put("files", 1, "size", -1), "/files/1/size"),
        (NATIVE, put("files", 1, "size", 7), "/files/1"),
        (NATIVE, put("files", 1, "mode", 7), "/files/1/mode"),
        (NATIVE, put("files", 1, "metadata", {}), "/files/1/metadata"),
        (NATIVE, put("files", 1, "media_type", "a\nb"), "/files/1/media_type"),
        (NATIVE, drop("files", 1, "path"), "/files/1/path"),
        (NATIVE, put("files", 1, "path", "../x"), "/files/1/path"),
        (NATIVE, put("files", 0, "path", "b.txt"), "/files"),
        (NATIVE, put("files", 1, "path", "a"), "/files/2/path"),
        (NATIVE, put("files", 1, "path", "a/TWO.txt"), "/files/2/path"),
        (NATIVE, put("files", 1, "digests", {}), "/files/1/digests"),
        (NATIVE, put("files", 1, "digests", {"sha256": "sha256:" + "a" * 64}), "/files/1/digests"),
        (NATIVE, put("files", 1, "digests", "sha512", "sha512:" + "a" * 128), "/files/1/digests"),
        (NATIVE, put("files", 1, "digests", "sha256", "blake3:" + "a" * 64), "/files/1/digests/sha256"),
        (NATIVE, put("files", 1, "digests", "sha256", "sha256:" + "b" * 64), "/files/1"),
        (NATIVE, put("files", 1, "digests", "blake3", "blake3:" + "d" * 64), "/files/1/digests/blake3"),
        (NATIVE, put("storage_receipts", [receipt("b", 2), receipt("a", 1)]), "/storage_receipts"),
        (NATIVE, put("storage_receipts", [receipt("a", 1), receipt("a", 1)]), "/storage_receipts"),
        (NATIVE, put("storage_receipts", [receipt("a", 1)]), "/files/0/digests/blake3"),
        (
            NATIVE,
            put("storage_receipts", [receipt("a", 1), receipt("b", 2), receipt("c", 3)]),
            "/storage_receipts/2",
        ),
        (NATIVE, put("storage_receipts", 0, "backend_id", "local"), "/storage_receipts/0/backend_id"),
        (NATIVE, put("storage_receipts", 0, "content_address", "blake3:x"), "/storage_receipts/0/content_address"),
        (NATIVE, put("storage_receipts", 0, "digests", content("c")), "/storage_receipts/0/content_address"),
        (NATIVE, drop("storage_receipts", 0, "digests", "sha256"), "/storage_receipts/0/digests"),
        (NATIVE, put("provenance", "origin", "moon"), "/provenance/origin"),
        (NATIVE, put("provenance", "origin", "oci"), "/provenance/oci"),
        (NATIVE, put("provenance", "oci", {}), "/provenance/oci"),
        (NATIVE, put("provenance", "relations", 0, "relation", "member"), "/provenance/relations/0"),
        (NATIVE, put("provenance", "relations", 0, "relation", "friend"), "/provenance/relations/0/relation"),
        (NATIVE, put("provenance", "relations", 0, "digest", "x"), "/provenance/relations/0/digest"),
        (OCI, drop("provenance", "oci"), "/provenance/oci"),
        (OCI, put("provenance", "relations", 1, "relation", "subject"), "/provenance/relations/1"),
        (OCI, put("provenance", "relations", 0, "annotations", "k", 1), "/provenance/relations/0/annotations/k"),
        (OCI, put("provenance", "oci", "digests", "sha512", "sha512:" + "9" * 128), "/provenance/oci/digests"),
        (OCI, put("provenance", "oci", "config", "size", 3), "/provenance/oci/config"),
        (
            OCI,
            put("provenance", "oci", "config", "digests", {"x": "x:y", "z": "z:1"}),
            "/provenance/oci/config/digests",
        ),
    ],
)
def test_what_the_format_does_not_allow_is_refused(base: dict[str, Any], change: Change, path: str) -> None:
    """Unknown and missing keys, wrong types and parts that do not fit each other are named by their path."""
    value = copy.deepcopy(base)
    change(value)
    with pytest.raises(ManifestInvalid) as caught:
        NativeManifest.from_value(value)
    assert caught.value.detail["path"] == path


@pytest.mark.parametrize("value", [None, [], 1, "x"])
def test_a_manifest_is_a_map(value: Any) -> None:
    """Any other value is refused."""
    with pytest.raises(ManifestInvalid):
        NativeManifest.from_value(value)


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("2025-10-11T12:00:00Z", True),
        ("2025-10-11t12:00:60.123456789+05:30", True),
        ("2025-10-11 12:00:00Z", False),
        ("2025-10-11T12:00:00", False),
        ("2025-13-11T12:00:00Z", False),
        ("2025-10-11T24:00:00Z", False),
        ("2025-10-11T12:00:00Z\n", False),
        ("٢٠٢٥-10-11T12:00:00Z", False),
    ],
)
def test_times_are_those_of_rfc_3339(text: str, sound: bool) -> None:
    """A date, `T`, a time and an offset, in ASCII digits."""
    assert is_rfc3339(text) is sound
