"""A directory as a registry should give it back: relative paths, sizes and digests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3


@dataclass(frozen=True)
class FileFacts:
    """What is known of one file without any registry."""

    size: int
    blake3: str
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> FileFacts:
        """The facts of these bytes."""
        return cls(
            len(content), f"blake3:{blake3(content).hexdigest()}", f"sha256:{hashlib.sha256(content).hexdigest()}"
        )


def read_tree(directory: Path) -> dict[str, FileFacts]:
    """Every regular file below `directory` by its POSIX relative path, in path order."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): FileFacts.of(path.read_bytes()) for path in paths}


def tree_differences(expected: dict[str, FileFacts], found: dict[str, FileFacts]) -> list[str]:
    """One line for each path that is missing, unexpected or other than it was."""
    missing = [f"{path} is missing" for path in expected.keys() - found.keys()]
    extra = [f"{path} was not there before" for path in found.keys() - expected.keys()]
    changed = [f"{path} changed" for path in expected.keys() & found.keys() if expected[path] != found[path]]
    return sorted(missing + extra + changed)
