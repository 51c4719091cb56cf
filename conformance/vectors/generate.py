"""Print the vectors again: `python -m conformance.vectors.generate` writes them, `--check` only compares."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from artifactstore.errors import ManifestInvalid
from artifactstore.identity.digest import digest_bytes
from artifactstore.manifest.codec import decode, encode
from artifactstore.manifest.mapping import Known, derive, face
from artifactstore.manifest.media_types import OCI_MANIFEST
from artifactstore.manifest.model import File, NativeManifest, Package, Provenance, Relation, StorageReceipt
from artifactstore.manifest.oci import Descriptor, OciManifest, parse
from artifactstore.manifest.projection import to_jcs
from conformance.vectors import cbor_inputs, event_inputs, oci_inputs

HERE = Path(__file__).parent
Vectors = dict[str, Any]


def known(content: str) -> Known:
    """`content` as a store holds it."""
    data = content.encode()
    digests = {name: str(digest_bytes(name, data)) for name in ("blake3", "sha256", "sha512")}
    return Known(digests["blake3"], len(data), digests)


def canonical_cbor() -> Vectors:
    """Values and their one encoding; values that have none; bytes that are none."""
    for _, text in cbor_inputs.NOT_ENCODED:
        must_refuse(encode, json.loads(text))
    for _, cbor in cbor_inputs.NOT_DECODED:
        must_refuse(decode, bytes.fromhex(cbor))
    return {
        "encoded": [encoded(text) for text in cbor_inputs.ENCODED],
        "not_encoded": [{"name": name, "json": text} for name, text in cbor_inputs.NOT_ENCODED],
        "not_decoded": [{"name": name, "cbor": cbor} for name, cbor in cbor_inputs.NOT_DECODED],
    }


def encoded(text: str) -> Vectors:
    """One value in its three forms."""
    cbor = encode(json.loads(text))
    return {"json": text, "cbor": cbor.hex(), "jcs": to_jcs(cbor).decode()}


def must_refuse(call: Callable[..., object], *arguments: object) -> ManifestInvalid:
    """The error of a call that has to raise it, so that no vector claims a refusal that does not happen."""
    try:
        call(*arguments)
    except ManifestInvalid as error:
        return error
    raise AssertionError(f"not refused: {arguments}")


def oci_manifests() -> Vectors:
    """Bodies that are accepted, with what they are read as, and bodies that are refused, with the path."""
    return {
        "accepted": [
            {"name": name, "content_type": content_type, "body": body, "read": said(parse(body.encode(), content_type))}
            for name, body, content_type in oci_inputs.ACCEPTED
        ],
        "refused": [
            {
                "name": name,
                "content_type": content_type,
                "body": body,
                "path": must_refuse(parse, body.encode(), content_type).detail["path"],
            }
            for name, body, content_type in oci_inputs.REFUSED
        ],
    }


def said(manifest: OciManifest) -> Vectors:
    """What a parsed manifest says, as JSON."""
    return {
        "media_type": manifest.media_type,
        "kind": manifest.kind,
        "artifact_type": manifest.artifact_type,
        "is_index": manifest.is_index,
        "role": manifest.role,
        "config": digest_of(manifest.config),
        "layers": [layer.digest for layer in manifest.layers],
        "members": [member.digest for member in manifest.members],
        "subject": digest_of(manifest.subject),
        "annotations": dict(manifest.annotations),
    }


def digest_of(descriptor: Descriptor | None) -> str | None:
    """The digest of a descriptor that may be absent."""
    return descriptor.digest if descriptor else None


def native_manifests() -> Vectors:
    """Native manifests derived from what was pushed, and those of packages that were ingested natively."""
    return {
        "derived": [derived(*case) for case in oci_inputs.PUSHED],
        "ingested": [ingested(*case) for case in oci_inputs.PACKAGES],
    }


def derived(name: str, body: str, content_type: str | None, contents: tuple[str, ...]) -> Vectors:
    """One pushed manifest and its native manifest."""
    held = {text: item for item in map(known, contents) for text in item.digests.values()}
    pushed = known(body)
    native = derive("acme/reports", parse(body.encode(), content_type), pushed.digests, pushed.size, held)
    return {
        "name": name,
        "repository": "acme/reports",
        "content_type": content_type,
        "body": body,
        "held": list(contents),
        **forms(native),
    }


def ingested(name: str, files: Mapping[str, str], metadata: Mapping[str, Any], subject: Vectors | None) -> Vectors:
    """One natively ingested package, its native manifest and the OCI manifest made for it."""
    native = package(files, metadata, subject)
    made = face(native)
    return {
        "name": name,
        "files": dict(files),
        **forms(native),
        "face": made.decode(),
        "face_sha256": str(digest_bytes("sha256", made)),
    }


def package(files: Mapping[str, str], metadata: Mapping[str, Any], subject: Vectors | None) -> NativeManifest:
    """The native manifest of some files."""
    contents = [(path, known(content)) for path, content in sorted(files.items(), key=lambda item: item[0].encode())]
    receipts = {item.address: receipt(item) for _, item in contents}
    relations = (Relation("subject", subject["digest"], OCI_MANIFEST, subject["size"]),) if subject else ()
    return NativeManifest(
        Package("acme/reports", "com.example.report", metadata, "2025-10-11T12:00:00Z", "com.example.report/1"),
        tuple(
            File(position, "application/octet-stream", item.size, receipts[item.address].digests, path)
            for position, (path, item) in enumerate(contents)
        ),
        tuple(receipts[address] for address in sorted(receipts)),
        Provenance("native", relations),
        "record",
    )


def receipt(item: Known) -> StorageReceipt:
    """The storage receipt of some content."""
    return StorageReceipt(item.address, item.size, {name: item.digests[name] for name in ("blake3", "sha256")})


def forms(native: NativeManifest) -> Vectors:
    """A native manifest as CBOR, as RFC 8785 JSON, and its digests."""
    cbor = native.to_cbor()
    return {
        "cbor": cbor.hex(),
        "jcs": to_jcs(cbor).decode(),
        "blake3": str(digest_bytes("blake3", cbor)),
        "sha256": str(digest_bytes("sha256", cbor)),
    }


FILES: Mapping[str, Callable[[], Vectors]] = {
    "canonical-cbor.json": canonical_cbor,
    "oci-manifests.json": oci_manifests,
    "native-manifests.json": native_manifests,
    "events.json": event_inputs.events,
}


def rendered(name: str) -> str:
    """The text of one vector file."""
    return json.dumps(FILES[name](), indent=1, ensure_ascii=True) + "\n"


def main() -> int:
    """Write or compare every vector file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file differs")
    check = parser.parse_args().check
    stale = [name for name in FILES if not (HERE / name).exists() or (HERE / name).read_text() != rendered(name)]
    for name in stale:
        print(f"{name} {'differs' if check else 'written'}")
        if not check:
            (HERE / name).write_text(rendered(name))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
