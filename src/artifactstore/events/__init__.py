"""The log of facts, and the views that are derived from it."""
