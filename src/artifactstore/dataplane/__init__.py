"""What moves bytes: the five operations the control plane may use, and the implementation in this process."""
