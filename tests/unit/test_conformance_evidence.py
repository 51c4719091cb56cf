"""The smoke run compares whole trees, so that no lost, added or changed file goes unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.clients.evidence import FileFacts, read_tree, tree_differences

ONE, OTHER = FileFacts.of(b"one"), FileFacts.of(b"other")


def test_tree_is_read_by_relative_path(tmp_path: Path) -> None:
    """Every file is known by its POSIX path below the directory, in order, with size and both digests."""
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "empty").touch()
    (tmp_path / "a.txt").write_bytes(b"abc")
    assert read_tree(tmp_path) == {
        "a.txt": FileFacts(
            3,
            "blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        "b/c/empty": FileFacts(
            0,
            "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    }


@pytest.mark.parametrize(
    ("found", "differences"),
    [
        ({"a": ONE, "b": OTHER}, []),
        ({"a": ONE}, ["b is missing"]),
        ({"a": ONE, "b": OTHER, "c": ONE}, ["c was not there before"]),
        ({"a": ONE, "b": ONE}, ["b changed"]),
        ({"A": ONE, "b": OTHER}, ["A was not there before", "a is missing"]),
    ],
)
def test_every_difference_is_named(found: dict[str, FileFacts], differences: list[str]) -> None:
    """A tree equals another only when every path and all its facts are the same."""
    assert tree_differences({"a": ONE, "b": OTHER}, found) == differences
