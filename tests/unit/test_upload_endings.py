"""Requests that meet at the end of one upload: each hears what is true, and nothing unreachable is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from artifactstore.dataplane.spi import one_chunk
from artifactstore.errors import ChunkOutOfOrder, UploadUnknown
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName
from artifactstore.registry.core import Descriptor
from artifactstore.registry.registry import Registry
from tests.stores import fresh_registry, sha256

REPOSITORY = RepositoryName("upload/endings")
DATA = b"the last bytes" * 4000
ROUNDS = 15


@pytest_asyncio.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    """An empty store."""
    opened = fresh_registry(tmp_path / "store", unsafe_no_sync=True)
    yield opened
    await opened.close()


async def slowly(data: bytes, go: asyncio.Event) -> AsyncIterator[bytes]:
    """A source that yields once `go` is set."""
    await go.wait()
    yield data


async def staged(registry: Registry) -> list[object]:
    """What lies in the staging."""
    return [listed.target async for listed in registry.plane.list_uploads()]


async def test_a_chunk_for_an_upload_that_was_just_closed_is_refused(registry: Registry) -> None:
    """A chunk that waited while another request closed the upload hears that it is late, and leaves nothing."""
    upload = await registry.open_upload(ANONYMOUS, REPOSITORY)
    go = asyncio.Event()
    where = (ANONYMOUS, REPOSITORY, upload.upload_id)
    closing = asyncio.create_task(registry.close_upload(*where, slowly(DATA, go), sha256(DATA)))
    await asyncio.sleep(0.05)
    appending = asyncio.create_task(registry.append_upload(*where, slowly(b"too late", go)))
    await asyncio.sleep(0.05)
    go.set()
    blob = await closing
    with pytest.raises((UploadUnknown, ChunkOutOfOrder)):
        await appending
    assert blob.size == len(DATA)
    assert await staged(registry) == []


async def test_the_same_close_twice_at_once_never_finds_wrong_bytes(registry: Registry) -> None:
    """Of two equal closes each stores the blob or finds the upload ended; none hears that the digest is wrong."""
    for number in range(ROUNDS):
        data = DATA + str(number).encode()
        upload = await registry.open_upload(ANONYMOUS, REPOSITORY)
        where = (ANONYMOUS, REPOSITORY, upload.upload_id)
        await registry.append_upload(*where, one_chunk(data))
        closes = (registry.close_upload(*where, one_chunk(b""), sha256(data)) for _ in range(3))
        answers = await asyncio.gather(*closes, return_exceptions=True)
        assert {type(answer) for answer in answers} <= {Descriptor, UploadUnknown}, answers
        assert Descriptor in {type(answer) for answer in answers}
    assert await staged(registry) == []
