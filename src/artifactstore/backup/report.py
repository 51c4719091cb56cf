"""What a copy came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Damage:
    """An object that could not be copied: what is wrong with it, and which live names need it.

    `named_by` has `repository` for a blob and `repository@digest` for a package; nobody: only the log remembers it.
    """

    digest: str
    size: int
    problem: str
    named_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CopyReport:
    """A copy of a store: where its log ends, and what became of its objects. Sizes in bytes.

    objects, bytes     what the facts of the log name
    copied, …_bytes    what was not there before
    present            what was there before, sound as far as it was looked at
    replaced           how many of the copied were there and damaged
    damaged            what is sound in neither place
    differences        where views differ from the log, in words; `artifactstore replay` makes them again
    """

    log_id: str
    sequence: int
    leaf_hash: str
    objects: int
    bytes: int
    copied: int
    copied_bytes: int
    present: int
    replaced: int
    damaged: tuple[Damage, ...]
    differences: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether the copy is whole."""
        return not self.damaged and not self.differences
