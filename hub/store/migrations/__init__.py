"""Schema versions in `versions/`, applied in order at start."""

HEAD = "0027"
"""The newest version: a database that has it is left alone at start. A test holds it equal to the newest file."""
