"""One who puts and one who sweeps, to be run against each other over one store, in threads or as processes.

Run as `python sweep_race.py <role> <root> <seconds>`; prints what it counted as JSON.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine

from artifactstore.identity.digest import ContentAddress, digest_bytes
from artifactstore.storage.backends.local import LocalStorage
from artifactstore.storage.files import OsFiles, now_micros
from artifactstore.storage.files_wrapped import UnsyncedFiles
from artifactstore.storage.spi import key_of

DATA = b"the same bytes, again and again"
KEY = key_of(ContentAddress(digest_bytes("blake3", DATA).hex))
AGE_MICROS = 50_000
"""The sweep removes what is older than this; a look at the key within this time of the put's beginning must find it."""

Role = Callable[[LocalStorage, float], Coroutine[None, None, Counter[str]]]


async def put_and_look(storage: LocalStorage, seconds: float) -> Counter[str]:
    """Put the key in both ways, over and over, and look for it right after; now and then give the sweep time."""
    seen: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        begun = now_micros()
        if seen["puts"] % 2:
            await storage.put_bytes(KEY, DATA)
        else:
            staged_id = secrets.token_hex(8)
            async with storage.staging.hold(staged_id):
                await storage.staging.append(staged_id, 0, DATA)
                await storage.put(KEY, staged_id)
        there = await storage.head(KEY) is not None
        seen["puts"] += 1
        if (
            now_micros() - begun < AGE_MICROS
        ):  # later, and a sweep with a later cut-off may have been right to remove it
            seen["found" if there else "lost"] += 1
        if secrets.randbelow(8) == 0:
            await asyncio.sleep(secrets.randbelow(2 * AGE_MICROS) / 1e6)
    return seen


async def sweep(storage: LocalStorage, seconds: float) -> Counter[str]:
    """Remove the key whenever it is old enough, over and over."""
    seen: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        was_there = await storage.head(KEY) is not None
        gone = await storage.delete(KEY, if_older_than=now_micros() - AGE_MICROS)
        seen["removed" if gone and was_there else "kept"] += 1
    return seen


ROLES: dict[str, Role] = {"put": put_and_look, "sweep": sweep}


def play(role: str, root: str, seconds: float) -> Counter[str]:
    """Play one role in an event loop of its own, over a backend of its own; unsynced, for more turns in the time."""
    storage = LocalStorage(root, files=UnsyncedFiles(OsFiles()))
    try:
        return asyncio.run(ROLES[role](storage, seconds))
    finally:
        storage.close()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(play(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
