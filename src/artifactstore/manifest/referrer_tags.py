"""Tags that clients make to say that one manifest belongs to another."""

from __future__ import annotations

import re

from artifactstore.manifest.roles import Role

_TAG_LENGTH_MAX = 128
_NOT_IN_TAG = re.compile(r"[^a-zA-Z0-9._-]")
_SUFFIXES: tuple[tuple[str, Role], ...] = ((".sig", "signature"), (".att", "attestation"), (".sbom", "sbom"))


def fallback_tag(digest: str) -> str:
    """The tag under which clients list referrers by themselves (distribution-spec main, "Referrers Tag Schema").

    Algorithm cut to 32 characters, `-`, encoded part cut to 64, every character that no tag may have as `-`.
    """
    algorithm, _, encoded = digest.partition(":")
    return _NOT_IN_TAG.sub("-", f"{algorithm[:32]}-{encoded[:64]}")


def attachment_tags(digest: str) -> dict[str, Role]:
    """The tags under which cosign attaches things to `digest`, and what it attaches there.

    Empty for a digest too long to be part of a tag, such as a sha512 one.
    """
    stem = digest.replace(":", "-", 1)
    return {stem + suffix: role for suffix, role in _SUFFIXES if len(stem) + len(suffix) <= _TAG_LENGTH_MAX}
