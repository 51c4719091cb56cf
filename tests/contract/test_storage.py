"""Every storage backend keeps what `Storage` promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from artifactstore.testing.storage_contract import ALL, StorageCheck
from tests.contract import storages


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", storages.ALL, ids=lambda make: make.__name__)
async def test_storage(make: storages.Make, check: StorageCheck, tmp_path: Path) -> None:
    """Each backend passes each check of the contract."""
    await check(make(tmp_path)())
