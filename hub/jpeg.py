"""Pictures to JPEG bytes, for evidence and for the screens."""

from __future__ import annotations

import cv2
import numpy as np

from ingest.frame import Image


def encode_jpeg(image: Image, quality: int = 88, width_px: int | None = None) -> bytes:
    """`image` (H x W x 3 BGR) as JPEG; scaled down to `width_px` across if it is wider."""
    if width_px is not None and image.shape[1] > width_px:
        height_px = round(image.shape[0] * width_px / image.shape[1])
        image = np.asarray(cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA), np.uint8)
    ok, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError(f"a picture of {image.shape} cannot be encoded")
    return buffer.tobytes()
