"""Every digest of a stream in one pass over its bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from artifactstore.identity.digest import ALWAYS, Digest, HashState, new_hash
from artifactstore.storage.workers import Workers


class DigestPass:
    """Running hashes of the same bytes; `size` says how many went in.

    Raises DigestInvalid for an algorithm that is not supported. An error in the middle of an update leaves the hashes
    apart from each other: such a pass is to be thrown away.
    """

    def __init__(self, algorithms: Iterable[str] = ALWAYS) -> None:
        self.size = 0
        self._states: dict[str, HashState] = {name: new_hash(name) for name in dict.fromkeys(algorithms)}

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What this pass computes."""
        return tuple(self._states)

    def missing(self, algorithms: Iterable[str]) -> tuple[str, ...]:
        """Which of `algorithms` this pass does not compute."""
        return tuple(name for name in algorithms if name not in self._states)

    def update(self, batch: bytes) -> None:
        """Hash `batch` here and now: for few bytes."""
        for state in self._states.values():
            state.update(batch)
        self.size += len(batch)

    async def update_in(self, workers: Workers, batch: bytes) -> None:
        """Hash `batch` in threads, one for each algorithm: blake3 and hashlib let go of the interpreter's lock."""
        await asyncio.gather(*(workers.run(state.update, batch) for state in self._states.values()))
        self.size += len(batch)

    def digests(self) -> dict[str, Digest]:
        """The digest of what went in so far, by algorithm."""
        return {name: Digest(name, state.hexdigest()) for name, state in self._states.items()}

    def copy(self) -> DigestPass:
        """A pass that goes on from here by itself."""
        twin = DigestPass(())
        twin.size = self.size
        twin._states = {name: state.copy() for name, state in self._states.items()}
        return twin
