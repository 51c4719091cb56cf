"""Charts, whose versions are not all tags."""

from __future__ import annotations

from conformance.clients import native
from conformance.clients.client import Client
from conformance.clients.evidence import read_tree, tree_differences
from conformance.clients.helm import Helm
from conformance.clients.scene import Scene, expect, expect_equal

VERSION, TAG = "1.2.3-rc.1+build.5", "1.2.3-rc.1_build.5"


def chart_with_plus(client: Client, scene: Scene) -> None:
    """A chart version with a `+` is pushed, found in the list of versions, and pulled; the tag has a `_` instead."""
    if not isinstance(client, Helm):
        raise TypeError(f"{client.name} has no charts")
    older, newer = client.chart(scene, "1.0.0"), client.chart(scene, VERSION)
    client.push(scene, "1.0.0", older)
    client.push(scene, TAG, newer)
    expect_equal(scene.registry.get(f"/v2/{scene.repository}/tags/list")["tags"], ["1.0.0", TAG], "the tags")
    native.expect_package(scene, TAG, client.kind)
    # A range makes Helm list the tags and choose; only the newest, a pre-release with `+`, is in this one.
    for version in (VERSION, ">1.0.0-0"):
        differences = tree_differences(read_tree(newer), read_tree(client.pull_version(scene, version)))
        expect(not differences, f"the chart pulled as {version} differs: {differences}")
