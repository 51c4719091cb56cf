"""How this package refuses: ManifestInvalid with a JSON Pointer (RFC 6901) to the offending place."""

from __future__ import annotations

from collections.abc import Iterable

from artifactstore.errors import ManifestInvalid

_SHOWN_MAX = 300


class Refusal(Exception):
    """A reason on its way up. Whoever knows where it happened adds its step to `steps`, innermost first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps: list[str | int] = []

    def located(self) -> ManifestInvalid:
        """The error for callers, once every step is known."""
        return invalid(pointer(reversed(self.steps)), self.reason)


def invalid(path: str, reason: str) -> ManifestInvalid:
    """The error that says `reason` about the value at `path`; the empty path is the whole document."""
    path, reason = printable(path), printable(reason)
    return ManifestInvalid(f"{path}: {reason}" if path else reason, detail={"path": path, "reason": reason})


def pointer(steps: Iterable[str | int]) -> str:
    """The JSON Pointer of some keys and positions, outermost first."""
    return "".join("/" + step(key) for key in steps)


def step(key: str | int) -> str:
    """One reference token of a JSON Pointer (RFC 6901, 3)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def printable(text: str) -> str:
    """`text` as every encoder can write it, and not too long: an error must not fail for what it reports."""
    cut = text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"
    return cut.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
