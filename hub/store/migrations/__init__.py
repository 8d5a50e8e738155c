"""Schema versions, applied in order at every start."""
