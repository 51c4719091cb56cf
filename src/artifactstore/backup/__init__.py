"""Copies of a whole store: a backup is a store, and a restore is the same copy in the other direction."""
