"""One file a protocol; `SOURCES` maps a URL scheme to the class that speaks it."""
