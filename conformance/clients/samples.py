"""What scenarios need and the harness makes by itself: artifacts in the registry, image layouts, layers."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.clients.scene import Scene

KIND = "application/vnd.example.sample.v1"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
TITLE = "org.opencontainers.image.title"


def descriptor(data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    """A descriptor of these bytes."""
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return {"mediaType": media_type, "digest": digest, "size": len(data), **more}


def artifact_in(scene: Scene, tag: str, content: bytes = b"something to sign\n") -> str:
    """Push an artifact of one file to the scene's repository, and return its digest."""
    file = descriptor(content, "application/octet-stream", annotations={TITLE: "file.txt"})
    return put(scene, tag, {"artifactType": KIND, "config": descriptor(b"{}", EMPTY), "layers": [file]}, b"{}", content)


def put(scene: Scene, tag: str | None, fields: Mapping[str, Any], *blobs: bytes) -> str:
    """Push blobs and a manifest with these fields, under a tag or by its digest, and return that."""
    at = f"/v2/{scene.repository}"
    for data in blobs:
        digest = descriptor(data, "")["digest"]
        scene.registry.must(201, "POST", f"{at}/blobs/uploads/?digest={digest}", data)
    body = manifest(fields)
    digest = str(descriptor(body, MANIFEST)["digest"])
    scene.registry.must(201, "PUT", f"{at}/manifests/{tag or digest}", body, Content_Type=MANIFEST)
    return digest


def manifest(fields: Mapping[str, Any]) -> bytes:
    """An image manifest with these fields."""
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, **fields}).encode()


def image_config(layer: str, architecture: str = "amd64") -> bytes:
    """The config of an image whose one layer has this digest when it is not compressed."""
    rootfs = {"type": "layers", "diff_ids": [layer]}
    return json.dumps({"architecture": architecture, "os": "linux", "rootfs": rootfs}).encode()


def pack(content: Path, archive: Path) -> Path:
    """A tar of a directory, the same for the same content."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(content.rglob("*")):
            entry = tar.gettarinfo(path, path.relative_to(content).as_posix())
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
            if path.is_file():
                with path.open("rb") as source:
                    tar.addfile(entry, source)
            else:
                tar.addfile(entry)
    return archive


def unpack(archive: Path, target: Path) -> Path:
    """The directory that a tar holds."""
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return target


def layout(folder: Path, config: bytes, layer: Path, media_type: str) -> Path:
    """An OCI image layout of one image with one layer, a file, which moves there."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    listed: dict[str, Any] = {"mediaType": media_type, "digest": file_digest(layer), "size": layer.stat().st_size}
    layer.rename(blobs / listed["digest"].removeprefix("sha256:"))
    body = manifest({"config": descriptor(config, IMAGE_CONFIG), "layers": [listed]})
    for data in (config, body):
        (blobs / hashlib.sha256(data).hexdigest()).write_bytes(data)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(body, MANIFEST)]}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def image_layout(content: Path, folder: Path) -> Path:
    """An OCI image layout of an image whose one layer holds a directory."""
    folder.mkdir(exist_ok=True)
    layer = pack(content, folder / "layer.tar")
    return layout(folder, image_config(file_digest(layer)), layer, LAYER)


def file_digest(path: Path) -> str:
    """The sha256 digest of a file, however large."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def only_layer(layout_folder: Path, target: Path) -> Path:
    """The directory that the one layer of a layout's one image holds."""
    blobs = layout_folder / "blobs" / "sha256"
    (listed,) = json.loads((layout_folder / "index.json").read_text())["manifests"]
    image = json.loads((blobs / listed["digest"].removeprefix("sha256:")).read_text())
    (layer,) = image["layers"]
    return unpack(blobs / layer["digest"].removeprefix("sha256:"), target)
