"""The kind of an image, recognised from its bytes alone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.imaging import Codec, ImageKind, sniff


def picture(mode: str = "RGB", size: tuple[int, int] = (37, 21)) -> Image.Image:
    """A small picture that is not of one colour."""
    return Image.linear_gradient("L").resize(size).convert(mode)


def saved(image: Image.Image, codec: Codec, **options: Any) -> bytes:
    """The picture as a file of this format."""
    file = io.BytesIO()
    image.save(file, codec.name, **options)
    return file.getvalue()


def animated(codec: Codec) -> bytes:
    """Three different frames."""
    first, *rest = (picture().rotate(angle) for angle in (0, 90, 180))
    return saved(first, codec, save_all=True, append_images=rest, duration=100)


STILLS = {
    "lossy webp": saved(picture(), Codec.WEBP),
    "lossless webp": saved(picture(), Codec.WEBP, lossless=True),
    "webp with alpha": saved(picture("RGBA"), Codec.WEBP, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
    "jpeg": saved(picture(), Codec.JPEG),
    "progressive jpeg": saved(picture(), Codec.JPEG, progressive=True),
    "grey jpeg": saved(picture("L"), Codec.JPEG),
    "png": saved(picture(), Codec.PNG),
    "gif": saved(picture("P"), Codec.GIF),
}
ANIMATED = {codec.name: animated(codec) for codec in (Codec.WEBP, Codec.PNG, Codec.GIF)}
WHOLE = [*STILLS.values(), *ANIMATED.values()]


@pytest.mark.parametrize("name", STILLS)
def test_a_still_picture_is_known_by_its_bytes(name: str) -> None:
    codec = Codec[name.replace("jpeg", "JPEG").replace("webp", "WEBP").replace("with alpha", "").split()[-1].upper()]

    assert sniff(STILLS[name]) == ImageKind(codec, 37, 21, is_animated=False, is_complete=True)


@pytest.mark.parametrize("name", ANIMATED)
def test_an_animated_picture_is_recognised(name: str) -> None:
    assert sniff(ANIMATED[name]) == ImageKind(Codec[name], 37, 21, is_animated=True, is_complete=True)


@pytest.mark.parametrize("data", WHOLE)
def test_a_picture_that_is_cut_anywhere_is_never_taken_for_a_whole_one(data: bytes) -> None:
    for length in range(len(data)):
        kind = sniff(data[:length])
        assert kind is None or not kind.is_complete


@pytest.mark.parametrize("data", WHOLE)
def test_bytes_after_the_end_do_no_harm(data: bytes) -> None:
    kind = sniff(data + b"\0\0 trailing")

    assert kind is not None
    assert kind.is_complete


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"RIFF\x04\0\0\0WAVE", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM\0\0", b"GIF89", b"RIFF"]
)
def test_anything_else_is_no_picture(data: bytes) -> None:
    assert sniff(data) is None


@given(st.sampled_from([b"RIFF", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b""]), st.binary(max_size=80))
def test_random_bytes_raise_nothing(magic: bytes, rest: bytes) -> None:
    kind = sniff(magic + rest)

    assert kind is None or (kind.width > 0 and kind.height > 0)


@given(st.sampled_from(WHOLE), st.integers(0, 400), st.integers(0, 255))
def test_a_flipped_byte_raises_nothing(data: bytes, at: int, byte: int) -> None:
    damaged = bytearray(data)
    damaged[at % len(damaged)] = byte

    sniff(bytes(damaged))


def test_media_types_are_those_of_browsers() -> None:
    assert [codec.media_type for codec in Codec] == ["image/webp", "image/jpeg", "image/png", "image/gif"]
