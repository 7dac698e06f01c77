"""The kind of an image, recognised from its bytes alone."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.imaging import Codec, ImageKind, is_cut_short, sniff


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
    "avif": saved(picture(), Codec.AVIF),
    "avif with alpha": saved(picture("RGBA"), Codec.AVIF, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
}
ANIMATED = {codec.name: animated(codec) for codec in (Codec.WEBP, Codec.PNG, Codec.GIF, Codec.AVIF)}
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
        assert is_cut_short(data[:length])


@pytest.mark.parametrize("data", WHOLE)
def test_bytes_after_the_end_do_no_harm(data: bytes) -> None:
    kind = sniff(data + b"\0\0 trailing")

    assert kind is not None
    assert kind.is_complete
    assert not is_cut_short(data)


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"RIFF\x04\0\0\0WAVE", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM\0\0", b"GIF89", b"RIFF"]
)
def test_anything_else_is_no_picture(data: bytes) -> None:
    assert sniff(data) is None


@given(
    st.sampled_from([b"RIFF", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\0\0\0\x10ftypavif", b""]),
    st.binary(max_size=80),
)
def test_random_bytes_raise_nothing(magic: bytes, rest: bytes) -> None:
    kind = sniff(magic + rest)

    assert kind is None or (kind.width > 0 and kind.height > 0)


@given(st.sampled_from(WHOLE), st.integers(0, 400), st.integers(0, 255))
def test_a_flipped_byte_raises_nothing(data: bytes, at: int, byte: int) -> None:
    damaged = bytearray(data)
    damaged[at % len(damaged)] = byte

    sniff(bytes(damaged))


def test_media_types_are_those_of_browsers() -> None:
    assert [codec.media_type for codec in Codec] == [
        "image/webp",
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/avif",
    ]


@pytest.mark.parametrize("data", [b"<html>a challenge</html>", b"404 no such file", b"\x00" * 40])
def test_what_is_no_image_is_not_a_short_one(data: bytes) -> None:
    assert not is_cut_short(data)


def box(name: bytes, *content: bytes) -> bytes:
    """A box of an ISO base media file."""
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, name) + body


def avif(brands: bytes = b"avif0000avif", primary: int = 2, *, data: bytes = b"samples", wide: bool = False) -> bytes:
    """Headers of an AVIF file of two items, a thumbnail (1) and a picture (2), without anything that decodes."""
    sizes = (box(b"ispe", struct.pack(">III", 0, *size)) for size in ((30, 40), (300, 400)))
    if wide:
        links = box(b"ipma", struct.pack(">II IBH IBHH", 0x01000001, 2, 1, 1, 0x8001, 2, 2, 3, 2))
    else:
        links = box(b"ipma", struct.pack(">II HBB HBBB", 0, 2, 1, 1, 0x81, 2, 2, 3, 2))
    number = struct.pack(">II", 0x01000000, primary) if wide else struct.pack(">IH", 0, primary)
    properties = box(b"iprp", box(b"ipco", *sizes, box(b"pixi", b"\0" * 8)), links)
    return box(b"ftyp", brands) + box(b"meta", b"\0" * 4, box(b"pitm", number), properties) + box(b"mdat", data)


@pytest.mark.parametrize("wide", [False, True], ids=["narrow numbers", "wide numbers"])
def test_the_size_of_avif_is_that_of_its_primary_item(wide: bool) -> None:
    kinds = [sniff(avif(primary=primary, wide=wide)) for primary in (1, 2)]

    assert [(kind.width, kind.height) for kind in kinds if kind] == [(30, 40), (300, 400)]


@pytest.mark.parametrize(
    ("brands", "is_animated"),
    [
        (b"avif0000avif", False),
        (b"avif0000avifavis", False),
        (b"avis0000avifavis", True),
        (b"mif10000avifmiaf", False),
        (b"msf10000avisavif", True),
    ],
)
def test_brands_of_avif_say_whether_it_moves(brands: bytes, is_animated: bool) -> None:
    kind = sniff(avif(brands))

    assert kind is not None
    assert kind.is_animated is is_animated


def test_a_picture_of_another_coding_in_the_same_container_is_none() -> None:
    assert sniff(avif(b"heic0000mif1heic")) is None


@pytest.mark.parametrize("length", [b"\0\0\0\0", b"\0\0\0\1"])
def test_the_last_box_of_avif_may_have_no_length_or_a_long_one(length: bytes) -> None:
    head, samples = avif(data=b"")[:-8], b"samples"
    data = head + length + b"mdat" + (struct.pack(">Q", 16 + len(samples)) if length[-1] else b"") + samples

    kind, cut = sniff(data), sniff(data[:-1])

    assert kind is not None
    assert kind.is_complete
    assert cut is not None
    assert cut.is_complete is not bool(length[-1])


def test_a_file_that_claims_millions_of_boxes_is_not_read_to_its_end() -> None:
    head = box(b"ftyp", b"avif0000avif")

    assert sniff(head + box(b"free") * 5000 + avif()[len(head) :]) is None
