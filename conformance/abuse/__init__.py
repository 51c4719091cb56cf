"""No input breaks the server: a seeded storm of requests, sound, wrong and hostile, and what may come of each."""
