"""Paths of a native package: safe to write, and one file each on every file system."""

from __future__ import annotations

import time

import pytest

from artifactstore.manifest.paths import path_problem, tree_problem


@pytest.mark.parametrize("path", ["a", "a/b", ".hidden", "a..b", "...", "with space", "Ünïcode/水", "a/b.c/d", "a\nb"])
def test_a_relative_posix_path_is_sound(path: str) -> None:
    """Ordinary names pass, those with dots, spaces and characters beyond ASCII among them."""
    assert path_problem(path) is None


@pytest.mark.parametrize(
    "path", ["", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "../a", "a/../b", "a\\b", "a\x00", "u\u0308"]
)
def test_an_unsafe_path_is_refused(path: str) -> None:
    """Absolute, climbing, empty, backslashed and denormalised paths each get a reason."""
    assert path_problem(path) is not None


@pytest.mark.parametrize(
    ("paths", "offender"),
    [
        (["a", "A"], "a"),
        (["straße", "STRASSE"], "straße"),
        (["a", "a/b"], "a/b"),
        (["A/x", "a"], "A/x"),
        (["a/b", "a/b/c", "a/b-c"], "a/b/c"),
        (["a", "a-b", "a.b", "a/b"], "a/b"),
    ],
)
def test_a_tree_that_no_directory_can_hold_is_refused(paths: list[str], offender: str) -> None:
    """Two paths equal but for case, or a file that is a directory too, are found wherever they stand in the list."""
    for order in (paths, paths[::-1]):
        problem = tree_problem(order)
        assert problem is not None
        assert problem[0] == offender


def test_neighbours_that_only_look_alike_are_sound() -> None:
    """A common beginning is no conflict unless a slash follows it."""
    assert tree_problem(["a", "a-b", "a.b/c", "ab", "b/a", "b/a-b", "b/ab/c"]) is None


def test_deep_paths_take_no_longer_than_their_length() -> None:
    """A path of a hundred thousand segments is judged at once, not once for each of its parents."""
    began = time.perf_counter()
    assert tree_problem(["a/" * 100_000 + str(number) for number in range(20)]) is None
    assert time.perf_counter() - began < 5
