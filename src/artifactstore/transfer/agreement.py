"""Whether two stores say the same of a package: their native manifests, compared. No I/O."""

from __future__ import annotations

from typing import Any

from artifactstore.errors import ManifestInvalid
from artifactstore.manifest.codec import decode


def require_same_package(told: bytes, derived: bytes | None, where: str) -> None:
    """The native manifest that came with a package is the one derived here, the repository's name apart.

    Nothing to compare where none was derived. Raises ManifestInvalid naming the parts that differ.
    """
    if derived is None or told == derived:
        return
    theirs, ours = _comparable(told), _comparable(derived)
    differing = sorted(name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name))
    if differing:
        raise ManifestInvalid(
            f"{where}: the native manifest that came with it is not the one of its content",
            detail={"differing": differing},
        )


def _comparable(manifest: bytes) -> dict[str, Any]:
    """A native manifest without the repository, which a package that was pushed over OCI takes from where it lies."""
    value = decode(manifest)
    if not isinstance(value, dict):
        return {"": value}
    package = value.get("package")
    if isinstance(package, dict):
        value = {**value, "package": {name: field for name, field in package.items() if name != "repository"}}
    return value
