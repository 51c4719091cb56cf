"""Every storage backend's staging keeps what `Staging` promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from artifactstore.testing.staging_contract import ALL, StagingCheck
from tests.contract import storages


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", storages.ALL, ids=lambda make: make.__name__)
async def test_staging(make: storages.Make, check: StagingCheck, tmp_path: Path) -> None:
    """Each backend passes each check of the contract, opened twice as two processes would."""
    open_storage = make(tmp_path)
    await check(lambda: open_storage().staging)
