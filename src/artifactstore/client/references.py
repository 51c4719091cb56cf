"""How people name what another registry has: `REGISTRY/REPO`, `REGISTRY/REPO:TAG`, `REGISTRY/REPO@DIGEST`. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from artifactstore.client.addresses import base_url
from artifactstore.client.credentials import DOCKER_HUB
from artifactstore.errors import NameInvalid
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.identity.references import parse_name


@dataclass(frozen=True, slots=True)
class RemoteName:
    """A repository of a registry, and perhaps a tag or digest in it."""

    address: str
    repository: RepositoryName
    reference: Digest | TagName | None

    @classmethod
    def parse(cls, text: str) -> RemoteName:
        """Read it; what stands before the first slash is the registry, with `http://` before it where it speaks that.

        Raises NameInvalid, DigestInvalid, ParameterInvalid.
        """
        scheme, separator, rest = text.rpartition("://")
        host, slash, name = rest.partition("/")
        if not slash or not (separator or "." in host or ":" in host or host == "localhost"):
            raise NameInvalid("the registry comes first: REGISTRY/REPO[:TAG|@DIGEST]", detail={"name": text[:300]})
        if host in ("docker.io", "index.docker.io"):
            host, name = DOCKER_HUB, name if "/" in name else f"library/{name}"
        address = base_url(f"{scheme}{separator}{host}")
        repository, reference = parse_name(name)
        return cls(address, repository, reference)
