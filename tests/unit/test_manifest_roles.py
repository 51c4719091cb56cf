"""What a manifest is to another: the forms of cosign, notation, BuildKit, in-toto and SBOM tools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from artifactstore.manifest.media_types import OCI_INDEX, OCI_MANIFEST, PACKAGE_ARTIFACT_TYPE
from artifactstore.manifest.oci import attachment_tags, fallback_tag, parse

HEX = "a" * 64
SUBJECT = {"mediaType": OCI_MANIFEST, "digest": f"sha256:{HEX}", "size": 7}
EMPTY = "application/vnd.oci.empty.v1+json"
IMAGE = "application/vnd.oci.image.config.v1+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
CONTENT = "dev.sigstore.bundle.content"
PREDICATE = "dev.sigstore.bundle.predicateType"
SIGN = "https://sigstore.dev/cosign/sign/v1"


def pushed(config: str, layers: tuple[str, ...], **fields: Any) -> bytes:
    """An image manifest with a config and layers of these media types."""
    described = [{"mediaType": name, "digest": f"sha256:{HEX}", "size": 2} for name in (config, *layers)]
    return json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described[0], "layers": described[1:]} | fields
    ).encode()


def referrer(artifact_type: str, *layers: str, **annotations: str) -> bytes:
    """A manifest with subject and artifact type."""
    return pushed(EMPTY, layers, artifactType=artifact_type, subject=SUBJECT, annotations=annotations)


@pytest.mark.parametrize(
    ("body", "role"),
    [
        pytest.param(pushed(IMAGE, (SIMPLE, SIMPLE)), "signature", id="cosign 2 .sig"),
        pytest.param(pushed(IMAGE, (DSSE,)), "attestation", id="cosign 2 .att"),
        pytest.param(pushed(IMAGE, ("text/spdx+json",)), "sbom", id="cosign 2 .sbom spdx"),
        pytest.param(pushed(IMAGE, ("application/vnd.cyclonedx+xml",)), "sbom", id="cosign 2 .sbom cyclonedx"),
        pytest.param(pushed(IMAGE, ("application/vnd.syft+json",)), "sbom", id="cosign 2 .sbom syft"),
        pytest.param(
            pushed("application/vnd.dev.cosign.artifact.sig.v1+json", (SIMPLE,), subject=SUBJECT),
            "signature",
            id="cosign oci-1-1 signature",
        ),
        pytest.param(
            pushed("application/vnd.dev.cosign.artifact.sbom.v1+json", ("text/spdx",), subject=SUBJECT),
            "sbom",
            id="cosign oci-1-1 sbom",
        ),
        pytest.param(referrer(BUNDLE, BUNDLE, **{PREDICATE: SIGN}), "signature", id="cosign 3 sign"),
        pytest.param(
            referrer(BUNDLE, BUNDLE, **{CONTENT: "message-signature"}), "signature", id="bundle message signature"
        ),
        pytest.param(
            referrer(BUNDLE, BUNDLE, **{CONTENT: "dsse-envelope", PREDICATE: "https://slsa.dev/provenance/v1"}),
            "attestation",
            id="cosign 3 attest",
        ),
        pytest.param(referrer(BUNDLE, BUNDLE), "attestation", id="bundle without annotations"),
        pytest.param(
            pushed("application/vnd.cncf.notary.signature", ("application/jose+json",), subject=SUBJECT),
            "signature",
            id="notation",
        ),
        pytest.param(
            referrer("application/vnd.in-toto+json", "application/vnd.in-toto+json"), "attestation", id="toto"
        ),
        pytest.param(pushed(IMAGE, ("application/vnd.in-toto+json",) * 2), "attestation", id="BuildKit attestation"),
        pytest.param(referrer("application/spdx+json", "application/spdx+json"), "sbom", id="spdx"),
        pytest.param(referrer("application/vnd.cyclonedx+json; version=1.5", "x/y"), "sbom", id="cyclonedx version"),
        pytest.param(referrer("example/sbom", "application/vnd.cyclonedx+json"), "sbom", id="own type, sbom layer"),
        pytest.param(referrer("example/report", "text/plain"), "package", id="other referrer"),
        pytest.param(pushed(IMAGE, (SIMPLE, "text/plain")), "package", id="mixed layers"),
        pytest.param(pushed(IMAGE, ()), "package", id="no layers"),
        pytest.param(
            pushed(EMPTY, ("application/spdx+json",), artifactType="application/vnd.example.kit"),
            "package",
            id="a package that carries an sbom",
        ),
        pytest.param(
            pushed(EMPTY, ("application/spdx+json",), artifactType=PACKAGE_ARTIFACT_TYPE, subject=SUBJECT),
            "package",
            id="a native package that carries an sbom",
        ),
        pytest.param(
            json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode(), "package", id="index"
        ),
    ],
)
def test_the_role_is_known_by_types_and_annotations(body: bytes, role: str) -> None:
    """Signatures, attestations and SBOMs of every common client are told from packages."""
    assert parse(body).role == role


LONG = (
    "test+algorithm+using+algorithm+separators+and+lots+of+characters+to+excercise+overall+truncation:"
    "alsoSome=InTheEncodedSectionToShowHyphenReplacementAndLotsAndLotsOfCharactersToExcerciseEncodedTruncation"
)


@pytest.mark.parametrize(
    ("digest", "tag"),
    [
        ("sha256:" + "a" * 64, "sha256-" + "a" * 64),
        ("sha512:" + "a" * 128, "sha512-" + "a" * 64),
        (
            LONG,
            "test-algorithm-using-algorithm-s-alsoSome-InTheEncodedSectionToShowHyphenReplacementAndLotsAndLot",
        ),
    ],
)
def test_the_fallback_tag_is_that_of_the_spec(digest: str, tag: str) -> None:
    """The examples of distribution-spec main, "Referrers Tag Schema", come out as printed there."""
    assert fallback_tag(digest) == tag


def test_cosign_tags_are_those_it_makes() -> None:
    """A sha256 digest has a tag for signatures, attestations and SBOMs; a sha512 digest is too long for any tag."""
    assert attachment_tags(f"sha256:{HEX}") == {
        f"sha256-{HEX}.sig": "signature",
        f"sha256-{HEX}.att": "attestation",
        f"sha256-{HEX}.sbom": "sbom",
    }
    assert attachment_tags("sha512:" + "a" * 128) == {}
