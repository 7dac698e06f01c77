"""Thumbnails and placeholders of covers."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from services.errors import UpstreamFailure
from services.imaging import Codec, sniff, thumbhash, thumbnail


def gradient(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """Red grows downwards, green rightwards, blue is even; in RGBA it fades out downwards."""
    down = Image.linear_gradient("L").resize(size)
    across = Image.linear_gradient("L").rotate(90).resize(size)
    even = Image.new("L", size, 90)
    return Image.merge(mode, (down, across, even, down)[: len(mode)])


def saved(image: Image.Image, codec: Codec) -> bytes:
    """The picture as a file of this format."""
    file = io.BytesIO()
    image.save(file, codec.name)
    return file.getvalue()


@pytest.mark.parametrize("source", list(Codec))
@pytest.mark.parametrize("target", [Codec.WEBP, Codec.JPEG])
def test_a_thumbnail_has_the_width_asked_for_and_the_shape_of_the_cover(source: Codec, target: Codec) -> None:
    kind = sniff(thumbnail(saved(gradient((800, 1201)), source), 300, target))

    assert kind is not None
    assert (kind.codec, kind.width, kind.height) == (target, 300, 450)


def test_a_small_cover_is_not_enlarged() -> None:
    kind = sniff(thumbnail(saved(gradient((120, 80)), Codec.PNG), 300, Codec.WEBP))

    assert kind is not None
    assert (kind.width, kind.height) == (120, 80)


def test_a_broken_cover_has_no_thumbnail() -> None:
    with pytest.raises(UpstreamFailure):
        thumbnail(b"<html>", 300, Codec.WEBP)


# Made once with another implementation of the format, for pictures of at most 100 pixels a side.
@pytest.mark.parametrize(
    ("size", "mode", "hash_hex"),
    [
        ((100, 70), "RGB", "1cf909359a80878780878788887888888080f80788"),
        ((100, 70), "RGBA", "e059861c8c378087b3878b780838bb8f437b78087888888708"),
        ((64, 96), "RGB", "1cf909351a70777078788878878778777070f70877"),
        ((64, 96), "RGBA", "e059861b0c3870b3b8788870b3fb38b478788088877878"),
        ((40, 40), "RGBA", "e059861d0c377077b3887b778870b3fb38b478788088877888"),
    ],
)
def test_the_hash_is_that_of_other_implementations(size: tuple[int, int], mode: str, hash_hex: str) -> None:
    ours, theirs = base64.b64decode(thumbhash(gradient(size, mode))).hex(), hash_hex

    header = 12 if mode == "RGBA" else 10
    assert ours[:header] == theirs[:header]
    # A term of nothing lies between two steps; which one it is depends on the order of additions.
    assert len(ours) == len(theirs)
    assert all(abs(int(one, 16) - int(other, 16)) <= 1 for one, other in zip(ours, theirs, strict=True))


def test_the_hash_of_a_large_picture_is_that_of_its_small_copy() -> None:
    large = gradient((1000, 1400))
    small = large.copy()
    small.thumbnail((100, 100))

    assert thumbhash(large) == thumbhash(small)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1"])
def test_pictures_of_one_colour_have_a_hash_too(mode: str) -> None:
    data = base64.b64decode(thumbhash(Image.new("RGB", (50, 70), "white").convert(mode)))

    assert data[0] & 63 == 63
    assert 15 <= len(data) <= 30


def test_the_hash_has_mean_colour_and_aspect_ratio() -> None:
    portrait, landscape = (
        base64.b64decode(thumbhash(Image.new("RGB", size, (255, 0, 0)))) for size in ((60, 90), (90, 60))
    )

    header = int.from_bytes(portrait[:3], "little")
    assert header & 63 == 21
    assert header >> 6 & 63 == 47
    assert header >> 12 & 63 == 63
    assert portrait[4] >> 7 == 0
    assert landscape[4] >> 7 == 1
