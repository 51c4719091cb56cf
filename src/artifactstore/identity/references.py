"""How people and paths name one package: `{repository}@{digest}` or `{repository}:{tag}`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from artifactstore.errors import NameInvalid
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName, TagName

_SIGN = re.compile("[@:]")


@dataclass(frozen=True, slots=True)
class PackageName:
    """A package of a repository, by a tag or any of its digests."""

    repository: RepositoryName
    reference: Digest | TagName

    @classmethod
    def parse(cls, text: str) -> PackageName:
        """Read it; the first `@` or `:` ends the repository, whose grammar has neither.

        Raises NameInvalid, DigestInvalid.
        """
        found = _SIGN.search(text)
        if found is None:
            raise NameInvalid("not a package: expected REPO:TAG or REPO@DIGEST", detail={"name": text[:300]})
        repository = RepositoryName.parse(text[: found.start()])
        named = text[found.end() :]
        return cls(repository, Digest.parse(named) if found.group() == "@" else TagName.parse(named))

    def __str__(self) -> str:
        return f"{self.repository}{'@' if isinstance(self.reference, Digest) else ':'}{self.reference}"


def parse_name(text: str) -> tuple[RepositoryName, Digest | TagName | None]:
    """`REPO`, `REPO:TAG` or `REPO@DIGEST`: the repository, and what of it is named, if anything.

    Raises NameInvalid, DigestInvalid.
    """
    if _SIGN.search(text) is None:
        return RepositoryName.parse(text), None
    name = PackageName.parse(text)
    return name.repository, name.reference
