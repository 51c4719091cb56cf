"""Relative paths of files in a native package: safe to write anywhere, and one file each on every file system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import pairwise


def path_problem(path: str) -> str | None:
    """Why `path` cannot name a file of a package, or None when it can.

    A path is POSIX and relative, in Unicode NFC, with no empty, `.` or `..` segment, no backslash and no NUL.
    """
    if "\\" in path or "\x00" in path:
        return "a path has no backslash and no NUL"
    if any(segment in ("", ".", "..") for segment in path.split("/")):
        return "a path is relative, with no empty, `.` or `..` segment"
    if not unicodedata.is_normalized("NFC", path):
        return "a path is in Unicode NFC"
    return None


def tree_problem(paths: Iterable[str]) -> tuple[str, str] | None:
    """A path that cannot lie beside the others, and why; None when all fit into one directory.

    No two may be equal when case-folded (Unicode D145), and none may be a directory of another. With `/` sorted before
    every other character, a path is followed at once by its equal or by what lies beneath it.
    """
    ordered = sorted((_folded(path).replace("/", "\0"), path) for path in paths)
    for (before, _), (after, path) in pairwise(ordered):
        if after == before:
            return path, "the path is there twice, letter case aside"
        if after.startswith(before + "\0"):
            return path, "the path lies beneath another file, letter case aside"
    return None


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
