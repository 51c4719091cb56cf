"""The data plane in this process keeps what `DataPlane` promises, over every storage backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from artifactstore.dataplane.cached import CachedDataPlane
from artifactstore.dataplane.inproc import InProcessDataPlane
from artifactstore.testing.dataplane_contract import ALL
from artifactstore.testing.planes import PlaneCheck
from tests.contract import storages


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", storages.ALL, ids=lambda make: make.__name__)
async def test_dataplane(make: storages.Make, check: PlaneCheck, tmp_path: Path) -> None:
    """Over each backend the data plane passes each check, opened twice as two processes would."""
    open_storage = make(tmp_path)
    await check(lambda: InProcessDataPlane(open_storage()))


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
async def test_cached_dataplane(check: PlaneCheck, tmp_path: Path) -> None:
    """With small objects kept in memory in front of it, the data plane passes each check too."""
    open_storage = storages.local(tmp_path)

    def open_plane() -> CachedDataPlane:
        inner = InProcessDataPlane(open_storage())
        return CachedDataPlane(inner, inner, 1 << 20)

    await check(open_plane)
