"""Lazy pictures say the same as the full BGR picture does, whatever the camera's pixel format."""

from __future__ import annotations

import struct
import threading
from datetime import UTC, datetime

import av
import cv2
import numpy as np
import pytest

from ingest.errors import NotVideo
from ingest.frame import Frame, Pixels, fitted, shrunk
from ingest.media import Coding, Decoders, Packet, jpeg_picture
from ingest.media.picture import decoded
from tests.peers.clips import Image, street
from tests.peers.keyframes import coded, key

T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
STREET = street(640, 360, seed=3)


def decode(data: bytes, codec: str = "h264") -> Frame:
    picture = Decoders().decode(Coding(codec), Packet(data, 0, 0, 0, True), "x")
    return Frame("c", None, T0, picture, codec, len(data))


def check(frame: Frame, original: Image, rough: bool = False) -> None:
    """The thumbnail, the colour and the scaled picture are those of the BGR path, which is the original.

    `rough`: of pictures that are tiny, or whose sides halve to odd ones, edges may lie half a pixel off.
    """
    height, width = original.shape[:2]
    assert (frame.width, frame.height) == (width, height)
    assert frame.luma.shape == (height, width)
    assert frame.image.shape == (height, width, 3)
    assert np.abs(frame.image.astype(int) - original).mean() < (14 if rough else 8)
    plain = Pixels(frame.image)
    assert frame.grey.shape == (90, 160)
    off = np.abs(frame.grey - plain.grey)
    assert off.mean() < (6.0 if rough else 2.0), "swscale rounds down by one level and a half"
    assert rough or off.max() < 7.0
    assert frame.colour == pytest.approx(plain.colour, rel=1.0 if rough else 0.15, abs=0.8)
    small = frame.within(416, 416)
    assert small.shape == (*fitted(width, height, 416, 416)[::-1], 3)
    shrunk_to = cv2.resize(frame.image, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - shrunk_to).mean() < (8 if rough else 4)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "full_range"),
    [
        ("h264", "yuv420p", False), ("h264", "yuvj420p", False), ("h264", "yuv420p", True), ("h264", "yuv422p", False),
        ("h264", "yuvj422p", False), ("h264", "yuv444p", False), ("h264", "yuv420p10le", False),
        ("hevc", "yuv420p", False), ("hevc", "yuv420p", True), ("hevc", "yuv420p10le", False),
        ("hevc", "yuv422p10le", False), ("hevc", "yuv444p", False),
    ],
)  # fmt: skip
def test_every_pixel_format_gives_the_same_picture(codec: str, pix_fmt: str, full_range: bool) -> None:
    check(decode(coded(STREET, codec, pix_fmt, full_range=full_range), codec), STREET)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_camera_without_colour(codec: str) -> None:
    grey = np.repeat(cv2.cvtColor(STREET, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
    frame = decode(coded(grey, codec, "gray"), codec)
    check(frame, grey)
    assert frame.colour < 1
    assert decode(coded(grey, codec), codec).colour < 2.5 < decode(coded(STREET, codec), codec).colour


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (704, 576), (352, 288), (160, 90), (96, 64), (1080, 1920)])
def test_every_size(size: tuple[int, int]) -> None:
    image = street(*size, seed=2)
    check(decode(coded(image)), image, rough=size[0] < 640)


@pytest.mark.parametrize(("width", "height"), [(641, 361), (321, 181), (33, 17), (17, 95)])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "nv12", "yuv420p10le", "rgb24", "gray"])
def test_odd_sizes(width: int, height: int, pix_fmt: str) -> None:
    even = np.full((height, width, 3), 128, np.uint8)
    even[: height // 2] = 60
    frame = Frame("c", None, T0, decoded(av.VideoFrame.from_ndarray(even, format="bgr24").reformat(format=pix_fmt)))
    check(frame, even)


def test_black_and_white_reach_the_ends() -> None:
    for level in (0, 255):
        frame = decode(coded(np.full((360, 640, 3), level, np.uint8)))
        assert abs(float(frame.grey.mean()) - level) < 1.5


def test_what_is_made_once_is_kept_and_cannot_be_written_to() -> None:
    frame = decode(key("h264").data)
    assert frame.grey is frame.grey
    assert frame.image is frame.image
    assert frame.within(416, 416) is frame.within(416, 416)
    assert frame.within(640, 640) is frame.image, "a size that is there already is not scaled"
    with pytest.raises(ValueError, match="read-only"):
        frame.luma[0, 0] = 0


def test_a_picture_outlives_its_decoder_and_the_next_picture() -> None:
    decoders = Decoders()
    packets = [key("h264", seed=seed) for seed in range(1, 6)]
    pictures = [decoders.decode(Coding("h264"), packet, "x") for packet in packets]
    luma = pictures[0].luma
    before = luma.copy()
    del pictures[0]
    for packet in packets * 3:
        decoders.decode(Coding("h264"), packet, "x")
    del decoders
    assert np.array_equal(luma, before), "whoever holds the luma holds its memory"
    assert all(np.array_equal(p.luma, decode(k.data).luma) for p, k in zip(pictures, packets[1:], strict=True))


def test_many_threads_get_each_its_own_picture() -> None:
    decoders = Decoders(idle_most=2)
    packets = [key("h264", 320, 192, seed) for seed in range(1, 5)] + [key("hevc", 320, 192, seed) for seed in (5, 6)]
    codings = [Coding("h264")] * 4 + [Coding("hevc")] * 2
    right = [decode(p.data, c.codec).grey for p, c in zip(packets, codings, strict=True)]
    wrong: list[int] = []

    def look(first: int) -> None:
        for step in range(30):
            i = (first + step) % len(packets)
            picture = decoders.decode(codings[i], packets[i], "x")
            if not np.array_equal(picture.grey, right[i]):
                wrong.append(i)

    threads = [threading.Thread(target=look, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (704, 576), (200, 120), (100, 50)])
def test_thumbnails_are_averages(size: tuple[int, int]) -> None:
    luma = cv2.cvtColor(street(*size, seed=5), cv2.COLOR_BGR2GRAY)
    exact = cv2.resize(luma.astype(np.float32), (160, 90), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk(luma) - exact).mean() < 1.5


@pytest.mark.parametrize(
    ("size", "box", "wanted"),
    [((1920, 1080), (416, 416), (416, 234)), ((1080, 1920), (416, 416), (234, 416)), ((64, 64), (416, 416), (416, 416)),
     ((5000, 2), (416, 416), (416, 1))],
)  # fmt: skip
def test_fitting_into_a_box(size: tuple[int, int], box: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert fitted(*size, *box) == wanted


def jpeg(image: Image, quality: int = 90) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (640, 361), (321, 183), (80, 60)])
def test_a_jpeg_says_the_same_at_a_reduced_scale(size: tuple[int, int]) -> None:
    image = street(*size, seed=4)
    frame = Frame("c", None, T0, jpeg_picture(jpeg(image), "x"), "jpeg")
    check(frame, image, rough=size[1] % 4 != 0 or size[0] < 640)
    whole = cv2.imdecode(np.frombuffer(jpeg(image), np.uint8), cv2.IMREAD_COLOR)
    assert whole is not None
    assert np.array_equal(frame.image, whole)


def test_a_jpeg_on_its_side_is_turned() -> None:
    data = jpeg(street(1280, 720))
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = jpeg_picture(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:], "x")
    assert (turned.width, turned.height) == (720, 1280)
    assert turned.image.shape == (1280, 720, 3)


def test_what_stands_behind_a_jpeg_is_no_matter_and_a_thumbnail_is_not_its_end() -> None:
    """Small cameras fill their buffer up with zeros, some makers add data of their own."""
    data, small = jpeg(STREET), jpeg(STREET[::8, ::8].copy())
    for behind in (bytes(500), b"MAKER" + bytes(range(200)) * 3):
        assert np.array_equal(jpeg_picture(data + behind, "x").image, jpeg_picture(data, "x").image)
    with_thumbnail = data[:2] + b"\xff\xe1" + (len(small) + 2).to_bytes(2, "big") + small + data[2:]
    assert np.array_equal(jpeg_picture(with_thumbnail, "x").image, jpeg_picture(data, "x").image)
    with pytest.raises(NotVideo, match="cut short"):
        jpeg_picture(with_thumbnail[:-200], "x")


@pytest.mark.parametrize("ending", [".png", ".bmp", ".webp"])
def test_other_still_pictures(ending: str) -> None:
    data = cv2.imencode(ending, STREET)[1].tobytes()
    check(Frame("c", None, T0, jpeg_picture(data, "x")), STREET)


def _claiming(width: int, height: int) -> bytes:
    data = bytearray(jpeg(STREET))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


def _bitmap(width: int) -> bytes:
    """A BMP whose header says so many columns."""
    sides = struct.pack("<IiiHHIIiiII", 40, width, 16, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 354, 0, 0, 54) + sides + bytes(300)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (jpeg(STREET)[:-200], "cut short"),
        (jpeg(STREET)[:300], "cut short"),
        (b"", "0 bytes that are no picture"),
        (b"<html>login</html>", "no picture"),
        (b"\xff\xd8\xff\xd9", "no picture"),
        (b"\xff\xd8" + bytes(100) + b"\xff\xd9", "no picture"),
        (b"\xff\xd8\xff\xe0\x00\x02" + b"\xff" * 50 + b"\xff\xd9", "no picture"),
        (_claiming(60_000, 60_000), "at most 100 megapixels"),
        (_bitmap(2_000_000), "no picture"),
        (_bitmap(-5), "no picture"),
    ],
)
def test_what_is_no_whole_picture_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(NotVideo, match=why):
        jpeg_picture(data, "http://cam/x.jpg")
