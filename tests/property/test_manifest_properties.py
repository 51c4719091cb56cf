"""Manifests under random input: one encoding, exact projections, no error but ManifestInvalid, a pure derivation."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import cbor2
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from artifactstore.errors import ManifestInvalid
from artifactstore.identity.digest import digest_bytes
from artifactstore.manifest.codec import INTEGER_MAX, decode, encode
from artifactstore.manifest.mapping import Known, adopt, derive, face
from artifactstore.manifest.media_types import DOCKER_LIST, OCI_INDEX, OCI_MANIFEST
from artifactstore.manifest.model import File, NativeManifest, Package, Provenance, StorageReceipt
from artifactstore.manifest.oci import Descriptor, OciManifest, parse
from artifactstore.manifest.paths import path_problem, tree_problem
from artifactstore.manifest.projection import from_jcs, to_jcs

UNHURRIED = settings(deadline=None)
"""Nothing here is about time, and machines may be busy."""
UNHURRIED_AND_MORE = settings(deadline=None, max_examples=300)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
NUMBERS = st.one_of(
    st.integers(-INTEGER_MAX, INTEGER_MAX),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXTS, inner, max_size=5)),
    max_leaves=20,
)


@UNHURRIED
@given(VALUES)
def test_encoding_is_exact_and_canonical(value: Any) -> None:
    """What is encoded decodes to an equal value, encodes again to the same bytes, and is what cbor2 calls canonical."""
    encoded = encode(value)
    assert decode(encoded) == value
    assert encode(decode(encoded)) == encoded
    assert cbor2.dumps(cbor2.loads(encoded), canonical=True) == encoded


@UNHURRIED
@given(st.dictionaries(TEXTS, st.integers(0, 9), max_size=8))
def test_the_order_of_keys_never_matters(value: dict[str, int]) -> None:
    """Two maps that are equal encode alike, whichever key was put in first."""
    assert encode(dict(reversed(value.items()))) == encode(value)


@UNHURRIED
@given(st.binary(max_size=60))
def test_decoding_is_the_inverse_or_refuses(data: bytes) -> None:
    """Any bytes either decode to a value that encodes to them, or raise ManifestInvalid."""
    with contextlib.suppress(ManifestInvalid):
        assert encode(decode(data)) == data


@UNHURRIED
@given(VALUES)
def test_the_projection_is_exact_both_ways(value: Any) -> None:
    """CBOR to RFC 8785 JSON is what the reference encoder writes, and goes back to the same CBOR."""
    cbor = encode(value)
    text = to_jcs(cbor)
    assert text == rfc8785.dumps(decode(cbor))
    assert from_jcs(text) == cbor


@UNHURRIED
@given(st.one_of(st.binary(max_size=80), VALUES.map(lambda value: json.dumps(value).encode())))
def test_json_comes_back_exactly_or_not_at_all(text: bytes) -> None:
    """Any text either is a projection, which it is projected to again, or raises ManifestInvalid."""
    with contextlib.suppress(ManifestInvalid):
        assert to_jcs(from_jcs(text)) == text


DIGESTS = st.one_of(
    st.binary(min_size=1, max_size=1).map(lambda data: str(digest_bytes("sha256", data))),
    st.sampled_from(["sha256:short", "blake3:" + "a" * 64, "x:y", "", "sha512:" + "b" * 128]),
)
ANNOTATIONS = st.one_of(st.none(), st.dictionaries(TEXTS, TEXTS, max_size=3))
DESCRIPTORS = st.fixed_dictionaries(
    {"mediaType": st.sampled_from(["a/b", OCI_MANIFEST, "text/plain"]), "digest": DIGESTS, "size": st.integers(-1, 5)},
    optional={"annotations": ANNOTATIONS, "artifactType": TEXTS, "data": TEXTS},
)
LISTS = st.one_of(st.none(), st.lists(DESCRIPTORS, max_size=4), VALUES)
MANIFESTS = st.fixed_dictionaries(
    {"schemaVersion": st.sampled_from([2, 2, 2, 2, 1, "2", None])},
    optional={
        "mediaType": st.one_of(st.sampled_from([OCI_MANIFEST, OCI_INDEX, DOCKER_LIST, "x/y"]), VALUES),
        "artifactType": st.one_of(TEXTS, VALUES),
        "config": st.one_of(DESCRIPTORS, VALUES),
        "layers": LISTS,
        "manifests": LISTS,
        "blobs": LISTS,
        "subject": st.one_of(DESCRIPTORS, VALUES),
        "annotations": st.one_of(ANNOTATIONS, VALUES),
    },
)


@UNHURRIED
@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=20)))
def test_no_bytes_break_the_parser(body: bytes, content_type: str | None) -> None:
    """Whatever is pushed, the parser answers with a manifest or with ManifestInvalid."""
    with contextlib.suppress(ManifestInvalid):
        parse(body, content_type)


@UNHURRIED_AND_MORE
@given(MANIFESTS, st.one_of(st.none(), st.sampled_from([OCI_MANIFEST, OCI_INDEX])))
def test_no_json_breaks_the_parser(fields: dict[str, Any], content_type: str | None) -> None:
    """JSON that is nearly a manifest gives one or ManifestInvalid, whose detail can be written as JSON."""
    try:
        parse(json.dumps(fields).encode(), content_type)
    except ManifestInvalid as error:
        json.dumps(error.detail, ensure_ascii=False).encode()


def known(data: bytes) -> Known:
    """Content as a store holds it."""
    digests = {name: str(digest_bytes(name, data)) for name in ("blake3", "sha256", "sha512")}
    return Known(digests["blake3"], len(data), digests)


CONTENTS = st.binary(max_size=2)
PARTS = st.builds(
    lambda data, algorithm, annotations: Descriptor(
        "a/b", str(digest_bytes(algorithm, data)), len(data), None, annotations
    ),
    CONTENTS,
    st.sampled_from(["blake3", "sha256", "sha512"]),
    st.dictionaries(st.sampled_from(["org.opencontainers.image.title", "k"]), TEXTS),
)


@UNHURRIED
@given(st.lists(PARTS, max_size=6), st.none() | PARTS, st.lists(CONTENTS), st.randoms(use_true_random=False))
def test_deriving_is_pure_and_keeps_the_order(
    layers: list[Descriptor], config: Descriptor | None, contents: list[bytes], random: Any
) -> None:
    """The same manifest gives the same bytes whatever else is held; files stand where layers stood."""
    named = {layer.digest for layer in (*layers, *((config,) if config else ()))}
    pairs = [(text, item) for item in map(known, contents) for text in item.digests.values()]
    random.shuffle(pairs)
    manifest = OciManifest("m/t", "k", None, config, tuple(layers), (), None, {}, False, "package")
    digests = known(b"body").digests
    native = derive("acme/x", manifest, digests, 4, dict(pairs))
    only = {text: item for text, item in sorted(pairs, key=lambda pair: pair[0]) if text in named}
    assert derive("acme/x", manifest, digests, 4, only).to_cbor() == native.to_cbor()
    assert [
        next(text for text in file.digests.values() if text == layer.digest)
        for file, layer in zip(native.files, layers, strict=True)
    ] == [layer.digest for layer in layers]
    assert NativeManifest.from_cbor(native.to_cbor()) == native


def safe(paths: list[str]) -> bool:
    """Whether these paths make a native package."""
    return all(path_problem(path) is None for path in paths) and tree_problem(paths) is None


TREES = st.dictionaries(
    st.lists(st.text("abAß.ü -", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join), CONTENTS, max_size=6
).filter(lambda tree: safe(list(tree)))


@UNHURRIED
@given(TREES, st.dictionaries(TEXTS, VALUES, max_size=3))
def test_a_native_package_is_adopted_as_itself(tree: dict[str, bytes], metadata: dict[str, Any]) -> None:
    """Any sound tree has a face that parses, and pushing that face gives the same native manifest back."""
    ordered = [(path, known(data)) for path, data in sorted(tree.items(), key=lambda item: item[0].encode())]
    receipts = {
        item.address: StorageReceipt(
            item.address, item.size, {name: item.digests[name] for name in ("blake3", "sha256")}
        )
        for _, item in ordered
    }
    native = NativeManifest(
        Package("acme/kit", "acme.kit", metadata),
        tuple(
            File(position, "text/plain", item.size, receipts[item.address].digests, path)
            for position, (path, item) in enumerate(ordered)
        ),
        tuple(receipts[address] for address in sorted(receipts)),
        Provenance("native"),
    )
    store = {text: item for _, item in ordered for text in item.digests.values()}
    adopted = adopt(native.to_cbor(), parse(face(native), OCI_MANIFEST), store)
    assert adopted.to_cbor() == native.to_cbor()
