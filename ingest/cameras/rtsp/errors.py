"""What the RTSP parsers raise; the reader turns it into a SourceError that names the camera."""

from __future__ import annotations


class RtspError(Exception):
    """Bytes that are no RTSP. The text says what was met, shortened and printable."""
