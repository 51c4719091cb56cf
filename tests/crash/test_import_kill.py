"""An import that is killed, and begun again."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from artifactstore.errors import NotFound
from artifactstore.identity.actor import ANONYMOUS
from tests.http.cutting import cutting
from tests.http.servers import SECONDS_MAX, in_thread, wait_for
from tests.stores import fresh_config, fresh_registry, push_image
from tests.transfers import HERE, V1

BIG = os.urandom(24_000_000)
KEPT = 8_000_000
COMMAND = (sys.executable, "-c", "from artifactstore.cli.main import main; main()", "import", "--json", "--jobs", "1")


async def test_a_killed_import_goes_on_where_it_was(tmp_path: Path) -> None:
    """After `kill -9` in the middle of a large blob nothing is tagged, and the next run brings only what is missing."""
    origin = fresh_registry(tmp_path / "origin")
    await push_image(origin, "from/here", "v1", [b"small", BIG])
    await origin.close()
    fresh_config(tmp_path / "data")
    with in_thread(fresh_config(tmp_path / "origin", port=0)) as server:
        async with cutting(server, stall=16_000_000) as proxy:
            process = await importing(f"{proxy.url}/from/here:v1", tmp_path / "data")
            await asyncio.wait_for(proxy.stalled.wait(), SECONDS_MAX)
            # What the proxy has passed on is on its way still; the process is struck when it has kept most of it.
            staging = tmp_path / "data" / "storage" / "staging"
            await asyncio.to_thread(wait_for, lambda: any(each.stat().st_size > KEPT for each in staging.iterdir()))
            process.kill()
            await process.communicate()
        registry = fresh_registry(tmp_path / "data")
        with pytest.raises(NotFound):
            await registry.resolve(ANONYMOUS, HERE, V1)
        await registry.close()
        async with cutting(server) as proxy:
            process = await importing(f"{proxy.url}/from/here:v1", tmp_path / "data")
            said, wrong = await process.communicate()
            assert process.returncode == 0, wrong
            [start] = [text for text in proxy.headers("GET", "range") if text]
    assert int(start.removeprefix("bytes=").removesuffix("-")) >= KEPT
    report = json.loads(said)
    assert report["roots"][0]["tag"] == "v1"
    assert report["blobs"]["skipped"] == 2


async def importing(source: str, data: Path) -> asyncio.subprocess.Process:
    """A process that imports from a registry."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *COMMAND, "--from", source, "--data", str(data), stdout=pipe, stderr=pipe
    )
