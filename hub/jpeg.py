"""Pictures to JPEG bytes, for evidence and for the screens."""

from __future__ import annotations

import cv2
import numpy as np

from ingest.frame import Image


def encode_jpeg(image: Image, quality: int = 88) -> bytes:
    """`image` (H x W x 3 BGR) as JPEG; for a smaller one ask the frame for it (`Frame.within`)."""
    ok, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError(f"a picture of {image.shape} cannot be encoded")
    return buffer.tobytes()


def fit_to_print(content: bytes, longest_px: int = 1280) -> bytes | None:
    """A stored picture as JPEG of at most `longest_px` pixels a side; None for what is no picture."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    shrink = min(1.0, longest_px / max(image.shape[:2]))
    if shrink < 1.0:
        image = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return encode_jpeg(image)
