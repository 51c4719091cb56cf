"""What this registry allows and how much of it: the settings that decisions look at."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits (sizes in bytes, times in seconds) and switches; the defaults are the safe ones.

    `sparse_repositories`: prefixes, by whole segments, of the repositories that accept manifests whose content is not
    there; `*` stands for all.
    """

    manifest_size_max: int = 4 * MEBIBYTE
    blob_size_max: int = 1 << 40
    upload_expiry_seconds: int = 24 * 3600
    uploads_open_max: int = 10_000
    tags_per_push_max: int = 100
    page_size_max: int = 10_000
    sparse_repositories: tuple[str, ...] = ()
    delete_blobs: bool = True
    delete_manifests: bool = True
    read_only: bool = False

    def allows_sparse(self, repository: str) -> bool:
        """Whether a manifest in `repository` may name content that the repository does not hold."""
        return any(
            prefix == "*" or repository == prefix or repository.startswith(f"{prefix}/")
            for prefix in self.sparse_repositories
        )
