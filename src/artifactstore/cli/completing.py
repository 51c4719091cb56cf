"""What the store can add to a word that is being typed: repositories and tags, quickly or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from artifactstore.cli.stores import Store

SECONDS_MAX = 1.0
"""Whoever pressed a key waits no longer for a server."""

OFFERED_MAX = 100


def repositories(ctx: typer.Context, incomplete: str) -> list[str]:
    """Repositories that begin with what is typed."""
    return _asked(ctx, lambda store: _repositories(store, incomplete))


def packages(ctx: typer.Context, incomplete: str) -> list[str]:
    """`REPO:` as long as a repository is typed, then `REPO:TAG`."""
    name, colon, tag = incomplete.partition(":")
    if "@" in incomplete:
        return []
    if not colon:
        return [f"{found}:" for found in repositories(ctx, incomplete)]
    return [f"{name}:{found}" for found in _asked(ctx, lambda store: _tags(store, name, tag))]


def event_types(incomplete: str) -> list[str]:
    """Types of events."""
    from artifactstore.events.model import FACTS

    return [name for name in FACTS if name.startswith(incomplete)]


def _asked(ctx: typer.Context, work: Callable[[Store], Awaitable[list[str]]]) -> list[str]:
    """What the store of the command line answers in time; nothing when it cannot: a completion never complains."""
    import asyncio

    from artifactstore.cli.stores import with_store

    async def bounded(store: Store) -> list[str]:
        async with asyncio.timeout(SECONDS_MAX):
            return await work(store)

    try:
        return with_store(ctx.params.get("data"), ctx.params.get("server"), bounded)
    except Exception:
        return []


async def _repositories(store: Store, text: str) -> list[str]:
    rows = store.repositories(None, last=_before(text))
    return await _beginning((row["name"] async for row in rows), text)


async def _tags(store: Store, repository: str, text: str) -> list[str]:
    from artifactstore.identity.names import RepositoryName

    return await _beginning(store.tags(RepositoryName.parse(repository), last=_before(text)), text)


async def _beginning(found: AsyncIterator[str], text: str) -> list[str]:
    """The first names in byte order that begin with the text, from where those would begin."""
    offered: list[str] = []
    async for name in found:
        if not name.startswith(text) or len(offered) == OFFERED_MAX:
            break
        offered.append(name)
    return offered


def _before(text: str) -> str:
    """The greatest name that stands before all that begin with the text; names have no character beyond `z`."""
    return f"{text[:-1]}{chr(ord(text[-1]) - 1)}~" if text else ""
