from __future__ import annotations

import pytest

from artifactstore.errors import DigestInvalid, NameInvalid
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import TagName
from artifactstore.identity.references import PackageName

HEX = "0" * 64


@pytest.mark.parametrize(
    ("text", "repository", "reference"),
    [
        ("a:v1", "a", TagName("v1")),
        ("acme/deep/reports:v1", "acme/deep/reports", TagName("v1")),
        (f"acme/reports@sha256:{HEX}", "acme/reports", Digest("sha256", HEX)),
        (f"a/manifest/files@blake3:{HEX}", "a/manifest/files", Digest("blake3", HEX)),
    ],
)
def test_first_sign_ends_the_repository(text: str, repository: str, reference: Digest | TagName) -> None:
    """What stands before the first `@` or `:` is the repository, what follows its digest or tag; and back."""
    name = PackageName.parse(text)
    assert (name.repository, name.reference) == (repository, reference)
    assert str(name) == text


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", NameInvalid),
        ("acme/reports", NameInvalid),
        (":v1", NameInvalid),
        ("a:", NameInvalid),
        ("a:b:c", NameInvalid),
        ("UPPER:v1", NameInvalid),
        ("localhost:5000/a:v1", NameInvalid),
        ("a:v1@sha256:" + HEX, NameInvalid),
        ("a@", DigestInvalid),
        ("a@v1", DigestInvalid),
        ("a@sha256:" + HEX[1:], DigestInvalid),
    ],
)
def test_anything_else_is_refused(text: str, error: type[Exception]) -> None:
    """A name without a sign, or with a part that breaks its grammar, is refused."""
    with pytest.raises(error):
        PackageName.parse(text)
