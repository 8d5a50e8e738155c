"""Pictures and readings to findings. Imports only the words of `ingest`."""
