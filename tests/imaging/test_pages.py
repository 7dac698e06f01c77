"""Pages of the site become readable pages."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tuned
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from demo.drawing import page_image
from services.errors import UpstreamFailure, UpstreamReason
from services.imaging import Codec, read_page, scramble, still_page, unscramble
from services.imaging.libwebp import find_libwebp

BENCHMARK_CHAPTER = 438516
"""A chapter of the demo site of 60 pages, 960 x 1360."""
BOTH_DECODERS = pytest.mark.parametrize("use_libwebp", [True, False], ids=["libwebp", "pillow"])


def saved(image: Image.Image, codec: Codec, **options: Any) -> bytes:
    """The picture as a file of this format."""
    file = io.BytesIO()
    image.save(file, codec.name, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    """The decoded picture."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise, in dB; more is closer."""
    stat = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB")))
    mean = sum(stat.sum2) / sum(stat.count)
    return 10 * math.log10(255**2 / mean) if mean else math.inf


@pytest.fixture(scope="module")
def drawn() -> Image.Image:
    """A page as it was drawn."""
    return page_image(BENCHMARK_CHAPTER, 7)


@BOTH_DECODERS
def test_cut_webp_pages_are_as_close_to_the_drawing_as_jmcomics_and_not_much_larger(use_libwebp: bool) -> None:
    ours_db = theirs_db = 0.0
    ours_bytes = theirs_bytes = 0
    for number, count in ((1, 10), (13, 12), (28, 2), (46, 20)):
        drawn = page_image(BENCHMARK_CHAPTER, number)
        sent = saved(scramble(drawn, count), Codec.WEBP, quality=80, method=2)
        theirs = saved(unscramble(opened(sent), count), Codec.WEBP)
        ours = read_page(sent, count, use_libwebp=use_libwebp).data
        ours_db, theirs_db = ours_db + psnr(opened(ours), drawn), theirs_db + psnr(opened(theirs), drawn)
        ours_bytes, theirs_bytes = ours_bytes + len(ours), theirs_bytes + len(theirs)

    # Pillow alone converts colours twice, which costs a tenth of a decibel.
    assert ours_db / 4 > theirs_db / 4 - (0.0 if use_libwebp else 0.15)
    assert ours_bytes < 1.15 * theirs_bytes


@BOTH_DECODERS
def test_a_cut_page_without_loss_is_put_in_order_without_loss(drawn: Image.Image, use_libwebp: bool) -> None:
    small = drawn.crop((0, 0, 200, 301))
    sent = saved(scramble(small, 14), Codec.WEBP, lossless=True)

    page = read_page(sent, 14, use_libwebp=use_libwebp)

    assert page.codec is Codec.WEBP
    assert opened(page.data).convert("RGB").tobytes() == small.tobytes()


@pytest.mark.parametrize("codec", [Codec.JPEG, Codec.PNG])
@pytest.mark.parametrize("count", [0, 10, 14])
def test_libwebp_and_pillow_give_the_same_webp_page(drawn: Image.Image, codec: Codec, count: int) -> None:
    sent = saved(scramble(drawn, count), Codec.WEBP, quality=80)

    by_libwebp, by_pillow = (read_page(sent, count, codec, 90, use_libwebp=way) for way in (True, False))

    assert by_libwebp.codec is by_pillow.codec is codec
    assert opened(by_libwebp.data).convert("RGB").tobytes() == opened(by_pillow.data).convert("RGB").tobytes()


@tuned(max_examples=40, deadline=None)
@given(st.sampled_from([2, 6, 8, 10, 12, 14, 16, 18, 20]), st.integers(1, 130), st.integers(1, 70))
def test_pages_of_any_size_are_put_in_order_in_their_planes(count: int, height: int, width: int) -> None:
    ramp = Image.linear_gradient("L").resize((width, height))
    drawing = Image.merge("RGB", (ramp, ImageChops.invert(ramp), ramp))
    sent = saved(scramble(drawing, count), Codec.WEBP, quality=100)

    by_libwebp, by_pillow = (opened(read_page(sent, count, None, 100, use_libwebp=way).data) for way in (True, False))

    assert by_libwebp.size == (width, height)
    assert psnr(by_libwebp, drawing) > min(30.0, psnr(by_pillow, drawing) - 1.0)


@pytest.mark.parametrize(
    ("codec", "options"),
    [(Codec.WEBP, {}), (Codec.WEBP, {"lossless": True}), (Codec.JPEG, {}), (Codec.PNG, {}), (Codec.GIF, {})],
)
def test_a_whole_page_stays_byte_for_byte(drawn: Image.Image, codec: Codec, options: dict[str, Any]) -> None:
    sent = saved(drawn.resize((96, 136)), codec, **options)

    assert read_page(sent, 0).data is sent
    assert read_page(sent, 0, codec if codec is not Codec.GIF else Codec.PNG, 50).data is sent


def test_a_cut_jpeg_page_keeps_the_level_of_the_site(drawn: Image.Image) -> None:
    sent = saved(scramble(drawn, 10), Codec.JPEG, quality=83, subsampling="4:4:4")

    page = read_page(sent, 10)

    readable = opened(page.data)
    assert page.codec is Codec.JPEG
    assert readable.quantization == opened(sent).quantization  # type: ignore[attr-defined]
    assert (
        psnr(readable, drawn) > psnr(opened(saved(drawn, Codec.JPEG, quality=83, subsampling="4:4:4")), drawn) - 0.5
    )


@pytest.mark.parametrize("codec", [Codec.WEBP, Codec.PNG, Codec.GIF])
@pytest.mark.parametrize("target", [None, Codec.JPEG])
def test_an_animated_page_stays_as_it_is(drawn: Image.Image, codec: Codec, target: Codec | None) -> None:
    first, second = drawn.resize((96, 136)), drawn.resize((96, 136)).rotate(180)
    sent = saved(first, codec, save_all=True, append_images=[second])

    page = read_page(sent, 10, target, 80)

    assert page.data is sent
    assert page.codec is codec


@pytest.mark.parametrize(
    ("size", "target", "kept"),
    [
        ((8, 16383), Codec.WEBP, Codec.WEBP),
        ((8, 16384), Codec.WEBP, Codec.PNG),
        ((16384, 8), Codec.WEBP, Codec.PNG),
        ((8, 65500), Codec.JPEG, Codec.JPEG),
        ((8, 65501), Codec.JPEG, Codec.PNG),
    ],
)
@pytest.mark.parametrize("count", [0, 10])
def test_a_page_too_long_for_a_format_keeps_its_own(
    size: tuple[int, int], target: Codec, kept: Codec, count: int
) -> None:
    drawing = Image.linear_gradient("L").resize(size).convert("RGB")
    sent = saved(scramble(drawing, count), Codec.PNG)

    page = read_page(sent, count, target, 90)

    assert (page.codec, page.width, page.height) == (kept, *size)
    assert opened(page.data).size == size
    assert kept is not Codec.PNG or opened(page.data).tobytes() == drawing.tobytes()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16"])
@pytest.mark.parametrize("target", [Codec.WEBP, Codec.JPEG, Codec.PNG])
def test_pages_of_every_colour_mode_are_converted(mode: str, target: Codec) -> None:
    drawing = (
        Image.new("I;16", (40, 60), 40_000) if mode == "I;16" else Image.new("RGB", (40, 60), "white").convert(mode)
    )
    sent = saved(drawing, Codec.JPEG if mode == "CMYK" else Codec.PNG)

    page = read_page(sent, 4, target, 90)

    level = 156 if mode == "I;16" and target is not Codec.PNG else 255
    assert page.codec is target
    if not (mode == "I;16" and target is Codec.PNG):
        assert all(abs(value - level) <= 2 for value in opened(page.data).convert("RGB").tobytes())


def test_profile_and_orientation_stay(drawn: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    sent = saved(drawn.resize((96, 136)), Codec.JPEG, icc_profile=b"a profile", exif=exif)

    page = opened(read_page(sent, 0, Codec.WEBP, 90).data)

    assert page.info["icc_profile"] == b"a profile"
    assert page.getexif()[0x0112] == 6


@pytest.mark.parametrize("target", [None, Codec.JPEG])
@BOTH_DECODERS
def test_a_page_that_does_not_decode_is_garbled(drawn: Image.Image, target: Codec | None, use_libwebp: bool) -> None:
    sent = bytearray(saved(drawn, Codec.WEBP))
    sent[21:23] = b"\xff\xff"  # its first part claims to be longer than the file

    with pytest.raises(UpstreamFailure) as failure:
        read_page(bytes(sent), 10, target, 90, use_libwebp=use_libwebp)

    assert failure.value.reason is UpstreamReason.GARBLED


@pytest.mark.parametrize("codec", [Codec.PNG, Codec.JPEG])
def test_a_page_of_any_kind_that_does_not_decode_is_garbled(drawn: Image.Image, codec: Codec) -> None:
    sent = bytearray(saved(drawn.resize((96, 136)), codec))
    start = sent.index(b"IDAT" if codec is Codec.PNG else b"\xff\xc4") + 5
    sent[start : start + 16] = b"\xff" * 16

    with pytest.raises(UpstreamFailure, match="does not decode"):
        read_page(bytes(sent), 10)


@pytest.mark.parametrize("sent", [b"", b"<html>a challenge</html>", b"GIF89a"])
def test_what_is_no_picture_is_garbled(sent: bytes) -> None:
    with pytest.raises(UpstreamFailure, match="no image"):
        read_page(sent, 0)


def test_a_page_that_is_cut_short_is_garbled_though_it_needs_no_decoding(drawn: Image.Image) -> None:
    sent = saved(drawn, Codec.JPEG)

    with pytest.raises(UpstreamFailure, match="cut short"):
        read_page(sent[: len(sent) // 2], 0)


def test_a_page_that_claims_an_absurd_size_is_garbled() -> None:
    sent = bytearray(saved(Image.new("RGB", (8, 8)), Codec.PNG))
    sent[16:24] = (100_000).to_bytes(4, "big") * 2

    with pytest.raises(UpstreamFailure, match="absurd size"):
        read_page(bytes(sent), 0)


def test_the_still_of_an_animation_is_its_first_frame_on_white() -> None:
    red, blue = Image.new("RGBA", (8, 8), "red"), Image.new("RGBA", (8, 8), "blue")
    sent = saved(red, Codec.GIF, save_all=True, append_images=[blue])

    page = still_page(sent, 0, Codec.PNG, 90)

    assert opened(page.data).getpixel((0, 0)) == (255, 0, 0)
    assert opened(page.data).mode == "RGB"


def test_libwebp_is_found_on_this_machine() -> None:
    assert find_libwebp() is not None


# --- AVIF, which is decoded by Pillow and never written ----------------------------------------------------------


@pytest.fixture(scope="module")
def small(drawn: Image.Image) -> Image.Image:
    """A part of that page: AVIF is slow to encode."""
    return drawn.resize((240, 343))


def test_a_cut_avif_page_becomes_webp(small: Image.Image) -> None:
    page = read_page(saved(scramble(small, 10), Codec.AVIF, quality=90), 10)

    assert (page.codec, page.width, page.height) == (Codec.WEBP, *small.size)
    assert opened(page.data).format == "WEBP"
    assert psnr(opened(page.data), small) > 30


def test_a_whole_avif_page_stays_byte_for_byte(small: Image.Image) -> None:
    sent = saved(small, Codec.AVIF)

    page = read_page(sent, 0)

    assert page.data is sent
    assert page.codec is Codec.AVIF


@pytest.mark.parametrize("target", [Codec.WEBP, Codec.JPEG, Codec.PNG])
@pytest.mark.parametrize("count", [0, 14])
def test_an_avif_page_is_converted(small: Image.Image, target: Codec, count: int) -> None:
    page = read_page(saved(scramble(small, count), Codec.AVIF, quality=90), count, target, 95)

    assert page.codec is target
    assert psnr(opened(page.data), small) > 30


@pytest.mark.parametrize(
    ("count", "target", "kept"),
    [(0, Codec.WEBP, Codec.AVIF), (10, Codec.WEBP, Codec.PNG), (10, None, Codec.PNG), (10, Codec.JPEG, Codec.JPEG)],
)
def test_an_avif_page_too_long_for_webp_keeps_its_format_or_becomes_png(
    count: int, target: Codec | None, kept: Codec
) -> None:
    sent = saved(scramble(Image.linear_gradient("L").resize((16, 16384)), count), Codec.AVIF, speed=10)

    page = read_page(sent, count, target, 90)

    assert (page.codec, page.width, page.height) == (kept, 16, 16384)
    assert opened(page.data).format == kept.name


def test_an_animated_avif_page_stays_and_its_still_is_the_first_frame() -> None:
    red, blue = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    sent = saved(red, Codec.AVIF, save_all=True, append_images=[blue])

    assert read_page(sent, 0, Codec.PNG).data is sent
    assert max(ImageStat.Stat(ImageChops.difference(opened(still_page(sent, 0, Codec.PNG, 90).data), red)).mean) < 8


def test_an_avif_page_that_does_not_decode_is_garbled(small: Image.Image) -> None:
    sent = saved(small, Codec.AVIF)
    data = sent.index(b"mdat") + 4

    with pytest.raises(UpstreamFailure, match="does not decode"):
        read_page(sent[:data] + b"\xff" * len(sent[data:]), 10)


def test_a_transparent_avif_page_keeps_its_transparency(small: Image.Image) -> None:
    faded = small.convert("RGBA")
    faded.putalpha(Image.linear_gradient("L").resize(small.size))

    page = opened(read_page(saved(scramble(faded, 4), Codec.AVIF, quality=90), 4).data)

    assert page.mode == "RGBA"
    assert psnr(page.getchannel("A").convert("RGB"), faded.getchannel("A").convert("RGB")) > 35
