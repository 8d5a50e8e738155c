"""The whole hub as processes, and its page in a real browser."""
