"""What the engine remembers of the manifests that it copies. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from artifactstore.identity.digest import HEX_LENGTH, Digest, digest_bytes
from artifactstore.manifest import oci
from artifactstore.manifest.media_types import IMAGES, INDEXES, REFUSED
from artifactstore.transfer.spi import Content, Manifest

MANIFESTS = IMAGES | INDEXES | REFUSED
BODIES_SIZE_MAX = 16 << 20
"""So many bytes of manifests are kept until their tags are set."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a manifest that was copied: little, since there may be a million of them.

    `names` are all digests of its bytes; they and `members` are there when referrers come along.
    """

    content: Content
    subject: str | None
    names: frozenset[str] = frozenset()
    members: tuple[Content, ...] = ()

    @classmethod
    def of(cls, manifest: Manifest, *, with_names: bool) -> Known:
        """What to remember; names and members only where referrers will be looked for."""
        says = manifest.says
        subject = says.subject.digest if says.subject else None
        if not with_names:
            return cls(manifest.content, subject)
        names = frozenset(str(digest_bytes(algorithm, manifest.body)) for algorithm in HEX_LENGTH)
        members = tuple(Content.of(item) for item in says.members if item.media_type in MANIFESTS)
        return cls(manifest.content, subject, names, members)


class Bodies:
    """Bodies of manifests that will be tagged, as many as fit into BODIES_SIZE_MAX; others are read once more then."""

    def __init__(self) -> None:
        self.wanted: set[Digest] = set()
        self.kept: dict[Digest, bytes] = {}
        self._room = BODIES_SIZE_MAX

    def offer(self, manifest: Manifest) -> None:
        """Keep the manifest's body, if it is wanted and there is room."""
        digest, size = manifest.content.digest, len(manifest.body)
        if digest in self.wanted and size <= self._room:
            self._room -= size
            self.kept[digest] = manifest.body


def children(says: oci.OciManifest) -> tuple[list[tuple[Content, bool]], list[Content]]:
    """The blobs that a manifest names, each with whether it needs it, and its members. Raises DigestInvalid.

    Its subject is none of them: it may be anywhere, and may come later.
    """
    needed = {item.digest for item in oci.required_blobs(says)}
    held = ((says.config,) if says.config else ()) + says.layers
    return [(Content.of(item), item.digest in needed) for item in held], list(map(Content.of, says.members))
