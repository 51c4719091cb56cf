"""What a copy is asked for, how far it is, and what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from artifactstore.identity.names import TagName
from artifactstore.transfer.spi import Content, Reference


@dataclass(frozen=True, slots=True)
class Root:
    """What to copy: a manifest and all it needs, and the tag that it gets at the target, if any."""

    reference: Reference
    tag: TagName | None = None


@dataclass(frozen=True, slots=True)
class Copied:
    """A root that was copied: its manifest, and the tag that it got."""

    content: Content
    tag: TagName | None


@dataclass(slots=True)
class Amounts:
    """How far a copy is. The totals grow while manifests are read; sizes in bytes."""

    items_done: int = 0
    items_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0


class Progress:
    """Counts how far a copy is, and says so each time."""

    def __init__(self, on_progress: Callable[[Amounts], None]) -> None:
        self._on_progress = on_progress
        self._amounts = Amounts()

    def found(self, size: int) -> None:
        """One more item, of so many bytes."""
        self._amounts.items_total += 1
        self._amounts.bytes_total += size
        self._on_progress(self._amounts)

    def moved(self, size: int) -> None:
        """So many bytes of an item came; fewer than none when it begins anew."""
        self._amounts.bytes_done += size
        self._on_progress(self._amounts)

    def done(self, left: int) -> None:
        """An item is done, with the bytes of it that have not been counted."""
        self._amounts.items_done += 1
        self.moved(left)


@dataclass(slots=True)
class Report:
    """What a copy did. Each blob and manifest counts once, `blobs_skipped` and `manifests_skipped` were there already.

    `bytes_copied` are those of blobs that were carried over; `referrers` counts manifests that were not asked for by
    name.
    """

    roots: list[Copied] = field(default_factory=list)
    tags: list[TagName] = field(default_factory=list)
    referrers: int = 0
    manifests_copied: int = 0
    manifests_skipped: int = 0
    blobs_copied: int = 0
    blobs_mounted: int = 0
    blobs_skipped: int = 0
    bytes_copied: int = 0
