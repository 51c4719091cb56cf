"""Packages know whether an index lists them, so that lists can pass over those that are, however many there are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TABLE = "artifact_packages"
NARROWED = {
    "artifact_packages_by_kind": ["kind"],
    "artifact_packages_by_repository": ["repository"],
    "artifact_packages_by_repository_kind": ["repository", "kind"],
    "artifact_packages_by_repository_role": ["repository", "role"],
    "artifact_packages_by_role": ["role"],
}
MEMBERS = """
UPDATE artifact_packages SET is_member = 1 WHERE (repository, content_address) IN (
  SELECT package_edges.repository, object_digests.content_address
  FROM package_edges JOIN object_digests ON object_digests.digest = package_edges.target_digest
  WHERE package_edges.relation = 'member'
)
"""


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("is_member", sa.Integer, nullable=False, server_default="0"))
    op.execute(MEMBERS)
    for name, columns in NARROWED.items():
        op.drop_index(name, TABLE)
        op.create_index(name, TABLE, [*columns, "is_member", "stored_sequence"])
    op.create_index("artifact_packages_by_member", TABLE, ["is_member", "stored_sequence"])
