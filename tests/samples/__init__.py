"""Payloads of sensors with what they say: the tests read them, `python -m tests.samples.readings` prints them."""
