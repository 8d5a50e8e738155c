"""A real browser before a real hub: what the tests of the page share."""
