"""Digests and content addresses.

A digest is `<algorithm>:<lower-case hex>`. `blake3` is primary: an object's address is its blake3 digest.
`sha256` is always known too, `sha512` where a client uses it (image-spec main, "Digests").
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from blake3 import blake3

from artifactstore.errors import DigestInvalid

PRIMARY = "blake3"
ALWAYS = (PRIMARY, "sha256")
HEX_LENGTH: Mapping[str, int] = {"blake3": 64, "sha256": 64, "sha512": 128}
"""Supported algorithm -> number of hex digits."""

_GRAMMAR = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A digest of a supported algorithm; only a valid one can be made by `parse`."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `<algorithm>:<hex>`.

        Raises DigestInvalid when the grammar is broken, the algorithm unknown, or the hex not of its length.
        """
        algorithm, colon, encoded = text.partition(":")
        length = HEX_LENGTH.get(algorithm)
        if not colon or (length is None and not _GRAMMAR.fullmatch(text)):
            raise DigestInvalid("not a digest: expected <algorithm>:<hex>", detail={"digest": text[:200]})
        if length is None:
            supported = sorted(HEX_LENGTH)
            raise DigestInvalid(f"digest algorithm {algorithm[:40]} is not supported", detail={"supported": supported})
        if len(encoded) != length or not _HEX.fullmatch(encoded):
            raise DigestInvalid(f"{algorithm} needs {length} lower-case hex digits", detail={"digest": text[:200]})
        return cls(algorithm, encoded)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def is_digest_text(text: str) -> bool:
    """Whether `text` is a digest of any algorithm (image-spec: unknown ones SHOULD pass in descriptors)."""
    algorithm, _, encoded = text.partition(":")
    length = HEX_LENGTH.get(algorithm)
    if length is not None:
        return len(encoded) == length and _HEX.fullmatch(encoded) is not None
    return _GRAMMAR.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, order=True)
class ContentAddress:
    """Where an object's bytes are stored, once: its blake3 digest."""

    hex: str

    @classmethod
    def parse(cls, text: str) -> ContentAddress:
        """Read `blake3:<hex>`; raises DigestInvalid for anything else."""
        digest = Digest.parse(text)
        if digest.algorithm != PRIMARY:
            raise DigestInvalid(f"a content address is a {PRIMARY} digest", detail={"digest": text})
        return cls(digest.hex)

    @property
    def digest(self) -> Digest:
        return Digest(PRIMARY, self.hex)

    def __str__(self) -> str:
        return f"{PRIMARY}:{self.hex}"


class HashState(Protocol):
    """A running hash, as `hashlib` and `blake3` both give."""

    def update(self, data: bytes | bytearray | memoryview, /) -> object: ...

    def hexdigest(self) -> str: ...

    def copy(self) -> HashState: ...


def new_hash(algorithm: str) -> HashState:
    """A fresh running hash. Raises DigestInvalid for an unsupported algorithm."""
    if algorithm == PRIMARY:
        return blake3()
    if algorithm not in HEX_LENGTH:
        supported = sorted(HEX_LENGTH)
        raise DigestInvalid(f"digest algorithm {algorithm[:40]} is not supported", detail={"supported": supported})
    return hashlib.new(algorithm)


def digest_bytes(algorithm: str, data: bytes) -> Digest:
    """The digest of `data`."""
    state = new_hash(algorithm)
    state.update(data)
    return Digest(algorithm, state.hexdigest())
