"""What most people do most of the time: push, pull, tag, list and copy."""

from __future__ import annotations

from conformance.clients import native, samples
from conformance.clients.client import Client
from conformance.clients.evidence import read_tree, tree_differences
from conformance.clients.scene import Scene, expect, expect_equal

TAGS = sorted([*(f"t{number:04}" for number in range(1040)), "_low", "A", "Z9", "a", "a-b", "a.b", "z"])
"""More than one page holds, in the bytewise order in which a registry lists them."""
TAGS_PER_PUSH = 10


def push_and_pull(client: Client, scene: Scene) -> None:
    """A pushed directory is pulled back byte for byte; it is a package with its files, and the log has every part."""
    content = client.content(scene)
    expected = read_tree(content)
    client.push(scene, "1.2.3", content)
    differences = tree_differences(expected, read_tree(client.pull(scene, "1.2.3")))
    expect(not differences, "the pulled tree differs: " + "; ".join(differences[:10]))
    native.expect_package(scene, "1.2.3", client.kind)
    if client.names_files:
        native.expect_tree(scene, "1.2.3", expected)
    expect("v1.blob.unlinked" not in native.event_kinds(scene), "a push unlinked a blob")


def tag(client: Client, scene: Scene) -> None:
    """A second tag names the same package, and the log has a move of that tag and no manifest more."""
    client.push(scene, "old", client.content(scene))
    digest, _ = native.manifest(scene, "old")
    before = native.head(scene)
    client.tag(scene, "old", "new")
    expect_equal(native.manifest(scene, "new")[0], digest, "what the new tag names")
    package = scene.registry.get(native.package_path(scene, digest))
    expect_equal(sorted(package["tags"]), ["new", "old"], "the package's tags")
    expect_equal(native.event_kinds(scene, before), ["v1.tag.moved"], "the events of a second tag")


def list_tags(client: Client, scene: Scene) -> None:
    """More than a thousand tags come page after page, each once and in order."""
    digest = samples.artifact_in(scene, TAGS[0])
    body = native.manifest_bytes(scene, digest)
    for start in range(0, len(TAGS), TAGS_PER_PUSH):
        query = "&".join(f"tag={name}" for name in TAGS[start : start + TAGS_PER_PUSH])
        path = f"/v2/{scene.repository}/manifests/{digest}?{query}"
        scene.registry.must(201, "PUT", path, body, Content_Type=samples.MANIFEST)
    found = client.tags(scene)
    expect_equal(len(found), len(TAGS), "the number of tags")
    expect(found == TAGS, f"the tags differ: {sorted(set(found) ^ set(TAGS))[:10]}, or their order does: {found[:10]}")
    moved = {payload["tag"] for payload in native.payloads(scene, "v1.tag.moved")}
    expect_equal(moved, set(TAGS), "the tags that the log knows")


def push_index(client: Client, scene: Scene) -> None:
    """An index of two images is a package whose members are those, and stands for them in the list of packages."""
    members = [_image(scene, architecture) for architecture in ("amd64", "arm64")]
    client.push_index(scene, "several", ["amd64", "arm64"])
    digest, value = native.manifest(scene, "several")
    expect_equal([member["digest"] for member in value["manifests"]], members, "the members of the index")
    package = scene.registry.get(native.package_path(scene, "several"))
    expect_equal((package["digest"], package["kind"]), (digest, value["mediaType"]), "digest and kind of the package")
    listed = scene.registry.pages(f"/api/v1/packages?repository={scene.repository}", "packages")
    expect_equal([row["digest"] for row in listed], [digest], "the listed packages")
    (stored,) = [one for one in native.payloads(scene, "v1.manifest.stored") if one["digest"] == digest]
    edges = [(edge["relation"], edge["digest"]) for edge in stored["edges"]]
    expect_equal(
        (stored["is_index"], edges), (True, [("member", member) for member in members]), "the index in the log"
    )


def copy_with_mount(client: Client, scene: Scene) -> None:
    """A copy to another repository has the same digest, and its layers came by mounts, not by uploads."""
    client.push(scene, "1", client.content(scene))
    digest, value = native.manifest(scene, "1")
    target = scene.aside("copy")
    client.copy(scene, "1", target)
    expect_equal(native.manifest(target, "1")[0], digest, "the copy")
    linked = native.payloads(target, "v1.blob.linked")
    # Some clients bring a config by an upload always.
    config = value["config"]["digest"]
    sources = {payload["digest"]: payload.get("mounted_from") for payload in linked if payload["digest"] != config}
    layers = {layer["digest"] for layer in value["layers"]}
    expect_equal(sources, dict.fromkeys(layers, scene.repository), "where the copy's layers were mounted from")


def _image(scene: Scene, architecture: str) -> str:
    """Push an image for an architecture, tagged with its name."""
    layer = samples.pack(Client().content(scene), scene.workspace / "layer.tar").read_bytes()
    listed = samples.descriptor(layer, samples.LAYER)
    config = samples.image_config(listed["digest"], architecture)
    fields = {"config": samples.descriptor(config, samples.IMAGE_CONFIG), "layers": [listed]}
    return samples.put(scene, architecture, fields, config, layer)
