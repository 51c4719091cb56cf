"""The official OCI distribution suite, with a gate that reads its counts."""
