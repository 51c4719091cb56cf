"""Repository and tag names (distribution-spec main, "Pulling manifests"), parsed once at the edge."""

from __future__ import annotations

import re

from artifactstore.errors import NameInvalid

NAME_LENGTH_MAX = 255
"""Clients cap `<host>/<name>` at 255 characters, so no longer name could be used."""

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY_PATTERN = rf"{_COMPONENT}(?:/{_COMPONENT})*"
TAG_PATTERN = r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"
_REPOSITORY = re.compile(REPOSITORY_PATTERN)
_TAG = re.compile(TAG_PATTERN)


class RepositoryName(str):
    """A valid repository name; its first segment is the tenant."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> RepositoryName:
        """Raises NameInvalid."""
        if len(text) > NAME_LENGTH_MAX or not _REPOSITORY.fullmatch(text):
            raise NameInvalid("not a repository name", detail={"name": text[:300], "length_max": NAME_LENGTH_MAX})
        return cls(text)

    @property
    def tenant(self) -> str:
        return self.partition("/")[0]


class TagName(str):
    """A valid tag."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> TagName:
        """Raises NameInvalid."""
        if not _TAG.fullmatch(text):
            raise NameInvalid(
                "not a tag: at most 128 of [a-zA-Z0-9._-], not beginning with . or -", detail={"tag": text[:200]}
            )
        return cls(text)
