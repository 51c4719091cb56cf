"""Repositories count what they hold as it comes and goes, so that nobody has to count it when asked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
COUNTED = """
UPDATE repositories SET
  packages = (SELECT count(*) FROM artifact_packages WHERE repository = repositories.name),
  tags = (SELECT count(*) FROM tags WHERE repository = repositories.name),
  blobs = (SELECT count(*) FROM repository_blobs WHERE repository = repositories.name),
  size = (SELECT coalesce(sum(size), 0) FROM artifact_packages WHERE repository = repositories.name)
       + (SELECT coalesce(sum(size), 0) FROM repository_blobs WHERE repository = repositories.name)
"""


def upgrade() -> None:
    for name in ("packages", "tags", "blobs", "size"):
        op.add_column("repositories", sa.Column(name, BIG, nullable=False, server_default="0"))
    op.execute(COUNTED)
