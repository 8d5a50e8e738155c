"""Pictures to JPEG bytes, for evidence and for the screens."""

from __future__ import annotations

import cv2

from ingest.frame import Image


def encode_jpeg(image: Image, quality: int = 88) -> bytes:
    """`image` (H x W x 3 BGR) as JPEG; for a smaller one ask the frame for it (`Frame.within`)."""
    ok, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError(f"a picture of {image.shape} cannot be encoded")
    return buffer.tobytes()
