"""A copy that changes nothing: a target that says what it has, and keeps nothing of what it is given."""

from __future__ import annotations

from artifactstore.identity.names import TagName
from artifactstore.transfer.spi import Content, Manifest, Opening, Target


class Pretending:
    """Stands before a target. The report of a copy to it says what would be done, as far as that shows beforehand.

    Any mount succeeds; no blob is read, so that one that is missing or damaged at the source is not noticed; and no
    native manifests are compared.
    """

    def __init__(self, target: Target) -> None:
        self._target = target

    @property
    def place(self) -> object:
        return self._target.place

    @property
    def repository(self) -> str:
        return self._target.repository

    async def has_blob(self, content: Content) -> bool:
        return await self._target.has_blob(content)

    async def has_manifest(self, manifest: Manifest) -> bool:
        return await self._target.has_manifest(manifest)

    async def mount(self, content: Content, source: str | None) -> bool:
        """Within one place; whether the place has the blob in some other repository only trying would tell."""
        return source is not None

    async def push_blob(self, content: Content, opening: Opening) -> None:
        """Nothing."""

    async def push_manifest(self, manifest: Manifest) -> None:
        """Nothing."""

    async def native(self, content: Content) -> bytes | None:
        return None

    async def tag(self, tag: TagName, manifest: Manifest) -> None:
        """Nothing."""
