"""What can be done with the store: pure decisions, and the library surface that carries them out."""
