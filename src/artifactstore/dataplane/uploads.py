"""The hash states of resumable uploads that this process received from their first byte on."""

from __future__ import annotations

from collections import OrderedDict

from artifactstore.dataplane.hashing import DigestPass

STATES_MAX = 1024
"""A state takes some 3 KiB; an upload whose state was dropped is read once more when it is closed."""


class UploadStates:
    """Running digests by upload id, the least recently used dropped first.

    A state is taken out while a stream goes on and put back only when bytes and hashes are known to agree. Staged bytes
    are never rewritten, so a state is good exactly as long as the upload has the size that went into it: when another
    process continued the upload it is not.
    """

    def __init__(self, count_max: int = STATES_MAX) -> None:
        self._count_max = count_max
        self._states: OrderedDict[str, DigestPass] = OrderedDict()

    def take(self, upload_id: str, size: int) -> DigestPass | None:
        """The state, no longer kept here, that covers exactly the `size` bytes of the upload; None: there is none."""
        state = self._states.pop(upload_id, None)
        return state if state is not None and state.size == size else None

    def keep(self, upload_id: str, state: DigestPass | None) -> None:
        """Keep a state for the next stream of this upload."""
        if state is not None:
            self._states[upload_id] = state
            if len(self._states) > self._count_max:
                self._states.popitem(last=False)

    def forget(self, upload_id: str) -> None:
        """Drop what is kept of an upload."""
        self._states.pop(upload_id, None)
