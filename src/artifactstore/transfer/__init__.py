"""Moving artifacts between repositories, stores, registries and layouts: one engine over two Protocols.

    from artifactstore.transfer import LocalRepository, Root, copy

    report = await copy(LocalRepository(registry, ANONYMOUS, here), LocalRepository(registry, ANONYMOUS, there), [root])

`spi.py` has the Protocols; `local.py`, `layout_*.py` and `artifactstore.client.registry` implement them.
"""

from artifactstore.transfer.copying import JOBS, copy, roots_of
from artifactstore.transfer.layouts import new_layout, open_layout
from artifactstore.transfer.local import LocalRepository
from artifactstore.transfer.report import Amounts, Copied, Report, Root
from artifactstore.transfer.spi import Content, Manifest, Source, Target

__all__ = [
    "JOBS",
    "Amounts",
    "Content",
    "Copied",
    "LocalRepository",
    "Manifest",
    "Report",
    "Root",
    "Source",
    "Target",
    "copy",
    "new_layout",
    "open_layout",
    "roots_of",
]
