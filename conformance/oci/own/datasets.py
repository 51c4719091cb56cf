"""The data sets: for each a function that drafts it, whose docstring says what is unusual about it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from conformance.oci.own.graphs import LAYER, Draft, Graph, Json
from conformance.oci.own.registry import EMPTY, Registry

LARGE_SIZE = 3_900_000
PARAMETER_TAGS = tuple(f"param-{number}" for number in range(10))
"""As many tags as a registry should take with one push (end-7b)."""


def image(draft: Draft) -> None:
    """An image with a config and two compressed layers."""
    draft.image(tags=draft.roots())


def image_uncompressed(draft: Draft) -> None:
    """An image whose layers are not compressed."""
    tar = "application/vnd.oci.image.layer.v1.tar"
    draft.image([draft.blob(tar), draft.blob(tar)], tags=draft.roots())


def large_manifest(draft: Draft) -> None:
    """An image whose manifest has nearly the 4 MB that clients may count on."""
    text = "x" * 10_000
    draft.image(tags=draft.roots(), annotations={f"large.{number}": text for number in range(LARGE_SIZE // 10_016)})


def index(draft: Draft) -> None:
    """An index of two images."""
    draft.index([draft.image(), draft.image()], tags=draft.roots())


def nested_index(draft: Draft) -> None:
    """An index of indexes."""
    inner = [draft.index([draft.image(), draft.image()]), draft.index([draft.image()])]
    draft.index(inner, tags=draft.roots())


def empty_index(draft: Draft) -> None:
    """An index of nothing."""
    draft.index([], annotations={"made.for": draft.registry.run}, tags=draft.roots())


def artifact(draft: Draft) -> None:
    """An image manifest with an artifactType, and `{}` as its config."""
    draft.artifact("application/x.own.artifact", tags=draft.roots())


def artifact_index(draft: Draft) -> None:
    """An index with an artifactType, of artifacts."""
    kind = "application/x.own.collection"
    members = [draft.artifact("application/x.own.one"), draft.artifact("application/x.own.two")]
    draft.index(members, artifactType=kind, tags=draft.roots())


def artifact_without_layers(draft: Draft) -> None:
    """An artifact that is annotations alone: config and layer are both `{}`."""
    note = {"made.for": draft.registry.run}
    empty = draft.empty()
    draft.image([empty], config=empty, artifactType="application/x.own.note", annotations=note, tags=draft.roots())


def artifacts_with_subject(draft: Draft) -> None:
    """An image and three referrers of it, one of which has its type from its config; and a referrer of a referrer."""
    subject = draft.image(tags=draft.roots())
    first = draft.artifact("application/x.own.sbom", subject=subject, annotations={"for": "sbom", "more": 'ä / "'})
    draft.artifact("application/x.own.signature", subject=subject, annotations={"for": "signature"}, tags=("referrer",))
    draft.image(config=draft.blob("application/x.own.config"), subject=subject, annotations={"for": "config"})
    draft.artifact("application/x.own.signature", subject=first)


def index_with_subject(draft: Draft) -> None:
    """An image, and indexes that refer to it, one with an artifactType and one without."""
    subject = draft.image(tags=draft.roots())
    members = [draft.artifact("application/x.own.member")]
    draft.index(members, subject=subject, artifactType="application/x.own.bundle", annotations={"for": "bundle"})
    draft.index(members, subject=subject, annotations={"for": "nothing"}, tags=("referring-index",))


def missing_subject(draft: Draft) -> None:
    """Referrers of an image that is never pushed."""
    subject = draft.image([], config=draft.empty(), annotations={"never": draft.registry.run}, held=False)
    draft.artifact("application/x.own.sbom", subject=subject, annotations={"for": "later"}, tags=draft.roots())
    draft.artifact("application/x.own.signature", subject=subject)


def data_field(draft: Draft) -> None:
    """Descriptors that carry their content, of the config and of a layer."""
    small = draft.registry.blob(f"{draft.name} small", 100).data

    def carried(media_type: str, data: bytes) -> Json:
        return draft.blob(media_type, data) | {"data": base64.b64encode(data).decode()}

    draft.image([carried("application/x.own.small", small)], config=carried(EMPTY, b"{}"), tags=draft.roots())


def non_distributable_layers(draft: Draft) -> None:
    """An image one of whose layers has to be fetched elsewhere, and is not pushed."""
    away = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    layers = [draft.blob(LAYER), draft.blob(away, held=False, urls=["https://layers.example/away"])]
    draft.image(layers, tags=draft.roots())


def custom_fields(draft: Draft) -> None:
    """Fields that no specification knows, in manifest, descriptors, config and index."""
    unknown = {"org.example.unknown": {"deep": [1, None, True, "ü"]}}
    config = draft.config(**unknown) | unknown
    inner = draft.image([draft.blob() | unknown], config=config, tags=draft.roots(), **unknown)
    draft.index([inner | unknown], tags=("custom-index",), **unknown)


def no_layers(draft: Draft) -> None:
    """An image whose list of layers is empty."""
    draft.image([], tags=draft.roots())


def sparse(draft: Draft) -> None:
    """An index some of whose images were not pushed, and an image one of whose layers was not."""
    absent = draft.index([], annotations={"never": draft.registry.run}, held=False)
    draft.index([draft.image(), absent], tags=draft.roots())
    draft.image([draft.blob(), draft.blob(held=False)], tags=("sparse-image",))


def untagged(draft: Draft) -> None:
    """An index of images with a referrer, reachable by its digests alone, which are by another algorithm."""
    subject = draft.index([draft.image(), draft.image()])
    draft.artifact("application/x.own.sbom", subject=subject, annotations={"for": draft.algorithm})


def tag_parameters(draft: Draft) -> None:
    """An image and an index that are pushed by digest, their tags given as parameters."""
    inner = draft.image(tags=PARAMETER_TAGS)
    draft.index([inner], tags=("index-a", "INDEX_B"))


@dataclass(frozen=True)
class DataSet:
    """How to draft a data set, by which algorithm, and whether it has tags, and gives them as parameters (end-7b)."""

    draft: Callable[[Draft], None]
    algorithm: str = "sha256"
    tagged: bool = True
    by_parameters: bool = False


DATASETS: Mapping[str, DataSet] = {
    "image": DataSet(image),
    "image uncompressed": DataSet(image_uncompressed),
    "large manifest": DataSet(large_manifest),
    "index": DataSet(index),
    "nested index": DataSet(nested_index),
    "empty index": DataSet(empty_index),
    "artifact": DataSet(artifact),
    "artifact index": DataSet(artifact_index),
    "artifact without layers": DataSet(artifact_without_layers),
    "artifacts with subject": DataSet(artifacts_with_subject),
    "index with subject": DataSet(index_with_subject),
    "missing subject": DataSet(missing_subject),
    "data field": DataSet(data_field),
    "non-distributable layers": DataSet(non_distributable_layers),
    "custom fields": DataSet(custom_fields),
    "no layers": DataSet(no_layers),
    "sparse": DataSet(sparse),
    "sha512": DataSet(untagged, "sha512", tagged=False),
    "blake3": DataSet(untagged, "blake3", tagged=False),
    "tag parameters sha256": DataSet(tag_parameters, "sha256", by_parameters=True),
    "tag parameters sha512": DataSet(tag_parameters, "sha512", by_parameters=True),
    "tag parameters blake3": DataSet(tag_parameters, "blake3", by_parameters=True),
}


@lru_cache(maxsize=len(DATASETS))
def graph_of(registry: Registry, name: str) -> Graph:
    """The graph of a data set."""
    dataset = DATASETS[name]
    draft = Draft(registry, name, dataset.algorithm)
    dataset.draft(draft)
    return draft.graph()
