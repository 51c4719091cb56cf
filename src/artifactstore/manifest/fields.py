"""Reading a map whose keys are all known: each value checked, the offending path named, nothing left over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from artifactstore.errors import ManifestInvalid
from artifactstore.identity.digest import is_digest_text
from artifactstore.manifest.codec import INTEGER_MAX
from artifactstore.manifest.problems import invalid, step

_Item = TypeVar("_Item")


class Fields:
    """The keys of one map, each to be taken once; `done` refuses what nobody took."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise invalid(path, "not a map")
        self.path = path
        self._left: dict[str, Any] = dict(value)

    def at(self, key: str) -> str:
        """The path of `key`."""
        return f"{self.path}/{step(key)}"

    def problem(self, key: str, reason: str) -> ManifestInvalid:
        """The error for what `key` holds."""
        return invalid(self.at(key), reason)

    def has(self, key: str) -> bool:
        """Whether `key` is there and was not taken."""
        return key in self._left

    def take(self, key: str) -> Any:
        """Any value, which must be there."""
        if key not in self._left:
            raise self.problem(key, "is missing")
        return self._left.pop(key)

    def text(self, key: str) -> str:
        """Text that is not empty."""
        value = self.take(key)
        if not isinstance(value, str) or not value:
            raise self.problem(key, "not text, or empty")
        return value

    def optional_text(self, key: str) -> str | None:
        """Text that is not empty, or no such key."""
        return self.text(key) if key in self._left else None

    def size(self, key: str) -> int:
        """A number from 0 to 2^53-1."""
        value = self.take(key)
        if type(value) is not int or not 0 <= value <= INTEGER_MAX:
            raise self.problem(key, "not an integer from 0 to 2^53-1")
        return value

    def digest(self, key: str) -> str:
        """A digest of any algorithm."""
        value = self.text(key)
        if not is_digest_text(value):
            raise self.problem(key, "not a digest")
        return value

    def digests(self, key: str) -> dict[str, str]:
        """At least one digest, each under the name of its algorithm."""
        value = self.take(key)
        if not isinstance(value, dict) or not value:
            raise self.problem(key, "not a map of digests, or empty")
        for name, digest in value.items():
            if not isinstance(digest, str) or not is_digest_text(digest) or digest.partition(":")[0] != name:
                raise invalid(f"{self.at(key)}/{step(name)}", "not a digest of this algorithm")
        return value

    def items(self, key: str, read: Callable[[Any, str], _Item]) -> tuple[_Item, ...]:
        """A list, which must be there; `read` makes an item of each value and its path."""
        value = self.take(key)
        if not isinstance(value, list):
            raise self.problem(key, "not a list")
        return tuple([read(item, f"{self.at(key)}/{position}") for position, item in enumerate(value)])

    def map(self, key: str) -> Mapping[str, Any]:
        """A map, which must be there and may be empty."""
        value = self.take(key)
        if not isinstance(value, dict):
            raise self.problem(key, "not a map")
        return value

    def optional_map(self, key: str) -> Mapping[str, Any]:
        """A map that is not empty, or no such key: an empty one would be a second way to say the same."""
        if key not in self._left:
            return {}
        value = self.map(key)
        if not value:
            raise self.problem(key, "an empty map is left out")
        return value

    def optional_texts(self, key: str) -> Mapping[str, str]:
        """A map of text to text that is not empty, or no such key."""
        value = self.optional_map(key)
        for name, text in value.items():
            if not isinstance(text, str):
                raise invalid(f"{self.at(key)}/{step(name)}", "not text")
        return value

    def done(self) -> None:
        """Raises ManifestInvalid for a key that nobody took."""
        for key in self._left:
            raise self.problem(key, "is not a key of this map")
