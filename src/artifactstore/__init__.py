"""An artifact store that can prove what it keeps: an append-only log of facts over content-addressed bytes.

    import artifactstore

    registry = artifactstore.open(data="./data")

`Registry` is the whole library surface; `errors` is the tree of everything it raises.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from artifactstore import errors
    from artifactstore.config import Config
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
    "open",
    "open_memory",
]

__version__ = "0.1.0"

_HOMES = {
    "ANONYMOUS": "identity.actor",
    "Config": "config",
    "ContentAddress": "identity.digest",
    "Digest": "identity.digest",
    "Policy": "registry.policy",
    "Principal": "identity.actor",
    "Registry": "registry.registry",
    "RepositoryName": "identity.names",
    "TagName": "identity.names",
}
"""Public name -> the module it is defined in. They are imported when first used (PEP 562), since the Registry brings
SQLAlchemy with it, for which `artifactstore version` need not wait."""


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("artifactstore.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'artifactstore' has no attribute {name!r}")
    value = getattr(import_module(f"artifactstore.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def open(*, create: bool = True, **settings: Any) -> Registry:  # noqa: A001 - read as artifactstore.open
    """Open the store that the settings (and the environment's `ARTIFACTSTORE_…`) describe.

    `create`: set up a store where there is none; one with an older schema is left to `artifactstore migrate`. Raises
    ConfigInvalid, SchemaUnsupported, BackendUnavailable. Close it with `await registry.close()`.
    """
    from artifactstore.bootstrap import open_registry
    from artifactstore.config import load

    return open_registry(load(settings), create=create)


def open_memory() -> Registry:
    """A Registry that leaves nothing behind, for tests and experiments."""
    from artifactstore import bootstrap

    return bootstrap.open_memory()
