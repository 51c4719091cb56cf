"""Real registry clients, each at a pinned version."""
