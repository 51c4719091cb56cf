"""An artifact store that can prove what it keeps: an append-only log of facts over content-addressed bytes.

    import artifactstore

    registry = artifactstore.open_store(data="./data")

`Registry` is the whole library surface; `errors` is the tree of everything it raises.
"""

from __future__ import annotations

from typing import Any

from artifactstore import errors
from artifactstore.config import Config, load
from artifactstore.identity.actor import ANONYMOUS, Principal
from artifactstore.identity.digest import ContentAddress, Digest
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.policy import Policy
from artifactstore.registry.registry import Registry

__all__ = [
    "ANONYMOUS",
    "Config",
    "ContentAddress",
    "Digest",
    "Policy",
    "Principal",
    "Registry",
    "RepositoryName",
    "TagName",
    "errors",
    "open_memory",
    "open_store",
]

__version__ = "0.1.0"


def open_store(*, migrate: bool = True, **settings: Any) -> Registry:
    """Open the store that the settings (and the environment's `ARTIFACTSTORE_…`) describe.

    `migrate`: bring an older or empty database to this program's schema first. Raises ConfigInvalid, SchemaUnsupported,
    BackendUnavailable. Close it with `await registry.close()`.
    """
    from artifactstore.bootstrap import open_registry

    return open_registry(load(settings), migrate_schema=migrate)


def open_memory() -> Registry:
    """A Registry that leaves nothing behind, for tests and experiments."""
    from artifactstore import bootstrap

    return bootstrap.open_memory()
