"""The log, the views over it, and open uploads."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

RETENTION_CLASSES = (
    {"name": "scratch", "rank": 1, "days": 7, "while_tagged": 0, "fixed": 0},
    {"name": "standard", "rank": 2, "days": 90, "while_tagged": 0, "fixed": 0},
    {"name": "release", "rank": 3, "days": 1095, "while_tagged": 1, "fixed": 0},
    {"name": "record", "rank": 4, "days": 3650, "while_tagged": 0, "fixed": 1},
    {"name": "permanent", "rank": 5, "days": None, "while_tagged": 0, "fixed": 1},
)


def upgrade() -> None:
    _artifact_files()
    _artifact_packages()
    _events()
    _log_head()
    _object_digests()
    _package_edges()
    _repositories()
    _repository_blobs()
    _retention_classes()
    _retention_state()
    _storage_locations()
    _tag_history()
    _tags()
    _upload_sessions()
    classes = sa.table("retention_classes", *(sa.column(name) for name in RETENTION_CLASSES[0]))
    op.bulk_insert(classes, list(RETENTION_CLASSES))


def _artifact_files() -> None:
    op.create_table(
        "artifact_files",
        sa.Column("repository", TEXT),
        sa.Column("package_address", TEXT),
        sa.Column("position", sa.Integer, autoincrement=False),
        sa.Column("path", TEXT, nullable=True),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("digest_algorithm", TEXT, nullable=False),
        sa.Column("digest_primary", TEXT, nullable=False),
        sa.Column("digest_sha256", TEXT, nullable=True),
        sa.Column("content_address", TEXT, nullable=True),
        sa.Column("metadata", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("repository", "package_address", "position"),
    )
    op.create_index("artifact_files_by_path", "artifact_files", ["repository", "package_address", "path", "position"])


def _artifact_packages() -> None:
    op.create_table(
        "artifact_packages",
        sa.Column("repository", TEXT),
        sa.Column("content_address", TEXT),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("artifact_type", TEXT, nullable=True),
        sa.Column("is_index", sa.Integer, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("annotations", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("stored_sequence", BIG, nullable=False),
        sa.Column("stored_at", BIG, nullable=False),
        sa.Column("manifest_digest", TEXT, nullable=True),
        sa.Column("finalized_sequence", BIG, nullable=True),
        sa.Column("origin", TEXT, nullable=True),
        sa.Column("created", TEXT, nullable=True),
        sa.Column("metadata", TEXT, nullable=True),
        sa.Column("file_count", BIG, nullable=True),
        sa.Column("files_size", BIG, nullable=True),
        sa.PrimaryKeyConstraint("repository", "content_address"),
    )
    op.create_index("artifact_packages_by_address", "artifact_packages", ["content_address", "stored_sequence"])
    op.create_index("artifact_packages_by_kind", "artifact_packages", ["kind", "stored_sequence"])
    op.create_index("artifact_packages_by_manifest", "artifact_packages", ["manifest_digest", "stored_sequence"])
    op.create_index("artifact_packages_by_repository", "artifact_packages", ["repository", "stored_sequence"])
    op.create_index(
        "artifact_packages_by_repository_kind", "artifact_packages", ["repository", "kind", "stored_sequence"]
    )
    op.create_index(
        "artifact_packages_by_repository_role", "artifact_packages", ["repository", "role", "stored_sequence"]
    )
    op.create_index("artifact_packages_by_role", "artifact_packages", ["role", "stored_sequence"])
    op.create_index("artifact_packages_by_sequence", "artifact_packages", ["stored_sequence"], unique=True)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", BIG, autoincrement=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("time", BIG, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index("events_by_stream", "events", ["stream", "sequence"])


def _log_head() -> None:
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("log_id", TEXT, nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("time", BIG, nullable=False),
        sa.Column("batch_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _object_digests() -> None:
    op.create_table(
        "object_digests",
        sa.Column("digest", TEXT),
        sa.Column("content_address", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("object_digests_by_address", "object_digests", ["content_address", "digest"])


def _package_edges() -> None:
    op.create_table(
        "package_edges",
        sa.Column("repository", TEXT),
        sa.Column("package_address", TEXT),
        sa.Column("position", sa.Integer, autoincrement=False),
        sa.Column("relation", TEXT, nullable=False),
        sa.Column("target_digest", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("artifact_type", TEXT, nullable=True),
        sa.Column("annotations", TEXT, nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.PrimaryKeyConstraint("repository", "package_address", "position"),
    )
    op.create_index(
        "package_edges_by_kind", "package_edges", ["repository", "relation", "target_digest", "kind", "sequence"]
    )
    op.create_index("package_edges_by_target", "package_edges", ["repository", "relation", "target_digest", "sequence"])


def _repositories() -> None:
    op.create_table(
        "repositories",
        sa.Column("name", TEXT),
        sa.Column("tenant", TEXT, nullable=False),
        sa.Column("created_sequence", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _repository_blobs() -> None:
    op.create_table(
        "repository_blobs",
        sa.Column("repository", TEXT),
        sa.Column("content_address", TEXT),
        sa.Column("size", BIG, nullable=False),
        sa.Column("linked_sequence", BIG, nullable=False),
        sa.Column("linked_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("repository", "content_address"),
    )
    op.create_index("repository_blobs_by_address", "repository_blobs", ["content_address", "repository"])


def _retention_classes() -> None:
    op.create_table(
        "retention_classes",
        sa.Column("name", TEXT),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("days", sa.Integer, nullable=True),
        sa.Column("while_tagged", sa.Integer, nullable=False),
        sa.Column("fixed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _retention_state() -> None:
    op.create_table(
        "retention_state",
        sa.Column("repository", TEXT),
        sa.Column("package_address", TEXT),
        sa.Column("retention_class", TEXT, nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("repository", "package_address"),
    )


def _storage_locations() -> None:
    op.create_table(
        "storage_locations",
        sa.Column("content_address", TEXT),
        sa.Column("backend_id", TEXT),
        sa.Column("size", BIG, nullable=False),
        sa.Column("stored_sequence", BIG, nullable=False),
        sa.Column("retrieval_tier", TEXT, nullable=True, server_default="hot"),
        sa.Column("restore_status", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("content_address", "backend_id"),
    )


def _tag_history() -> None:
    op.create_table(
        "tag_history",
        sa.Column("repository", TEXT),
        sa.Column("tag", TEXT),
        sa.Column("sequence", BIG),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("content_address", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("time", BIG, nullable=False),
        sa.PrimaryKeyConstraint("repository", "tag", "sequence"),
    )


def _tags() -> None:
    op.create_table(
        "tags",
        sa.Column("repository", TEXT),
        sa.Column("tag", TEXT),
        sa.Column("content_address", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("moved_sequence", BIG, nullable=False),
        sa.Column("moved_at", BIG, nullable=False),
        sa.Column("package_sequence", BIG, nullable=True),
        sa.PrimaryKeyConstraint("repository", "tag"),
    )
    op.create_index("tags_by_address", "tags", ["repository", "content_address", "tag"])
    op.create_index("tags_by_name", "tags", ["tag", "package_sequence"])


def _upload_sessions() -> None:
    op.create_table(
        "upload_sessions",
        sa.Column("upload_id", TEXT),
        sa.Column("repository", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("algorithm", TEXT, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("upload_id"),
    )
    op.create_index("upload_sessions_by_age", "upload_sessions", ["created_at"])
