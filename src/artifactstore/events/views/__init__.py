"""The views, in the order in which a fact is applied to them.

`repositories` comes first and looks at what the others say, to count what changes. `tag_history` comes before `tags`,
since it records what they are about to lose, and `packages` before `edges`: those of a deleted index tell which
packages it no longer lists.
"""

from __future__ import annotations

from artifactstore.events.views import (
    blobs,
    edges,
    files,
    history,
    objects,
    packages,
    repositories,
    retention,
    tags,
)
from artifactstore.events.views.view import SqlViews, View, ViewWriter

VIEWS: tuple[View, ...] = (
    repositories.Repositories(),
    objects.Objects(),
    blobs.Blobs(),
    history.TagHistory(),
    tags.Tags(),
    files.Files(),
    retention.Retention(),
    packages.Packages(),
    edges.Edges(),
)

__all__ = ["VIEWS", "SqlViews", "View", "ViewWriter"]
