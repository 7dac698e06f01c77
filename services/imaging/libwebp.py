"""The adapter to libwebp: WebP to raw samples and back.

Pillow returns RGB only, through an animation decoder. Here a page stays in the colour planes it is stored in,
which saves two colour conversions (about 12 of 58 ms a page) and the loss that comes with them. The library is
the one in Pillow's wheel, else the system's; where neither is found `find_libwebp` returns None and Pillow is used.
Source of the declarations: the public headers decode.h and encode.h of libwebp 1.x. Their layout is fixed within
one major ABI version, which the library itself checks in `WebPConfigInitInternal` and `WebPPictureInitInternal`.
"""

from __future__ import annotations

import ctypes.util
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import cffi
from PIL import features

from services.imaging.planes import Planes

_ENCODER_ABI = 0x0210
WEBP_METHOD = 1
"""How hard libwebp searches. 4, its default, takes twice as long for files a tenth smaller; 0 saves a sixth of the
time for files 4 % larger, which is more than they may grow over those of a patient encoder."""
_SEGMENTS, _FILTER_STRENGTH = 3, 80
"""Of 4 and 100; against libwebp's own 4 and 60 they bring drawn pages 0.05 dB closer at the same size and time."""

_DECLARATIONS = """
uint8_t* WebPDecodeYUVInto(const uint8_t*, size_t,
                           uint8_t*, size_t, int, uint8_t*, size_t, int, uint8_t*, size_t, int);
uint8_t* WebPDecodeRGBAInto(const uint8_t*, size_t, uint8_t*, size_t, int);

typedef struct {
  int lossless; float quality; int method, image_hint, target_size; float target_PSNR;
  int segments, sns_strength, filter_strength, filter_sharpness, filter_type, autofilter;
  int alpha_compression, alpha_filtering, alpha_quality, pass, show_compressed, preprocessing, partitions;
  int partition_limit, emulate_jpeg_size, thread_level, low_memory, near_lossless, exact, use_delta_palette;
  int use_sharp_yuv, qmin, qmax;
} WebPConfig;
int WebPConfigInitInternal(WebPConfig*, int, float, int);

typedef struct { uint8_t* mem; size_t size, max_size; uint32_t pad[1]; } WebPMemoryWriter;
void WebPMemoryWriterInit(WebPMemoryWriter*);
void WebPMemoryWriterClear(WebPMemoryWriter*);

typedef struct WebPPicture WebPPicture;
int WebPMemoryWrite(const uint8_t*, size_t, const WebPPicture*);
struct WebPPicture {
  int use_argb, colorspace, width, height; uint8_t *y, *u, *v; int y_stride, uv_stride; uint8_t* a; int a_stride;
  uint32_t pad1[2]; uint32_t* argb; int argb_stride; uint32_t pad2[3];
  int (*writer)(const uint8_t*, size_t, const WebPPicture*); void* custom_ptr;
  int extra_info_type; uint8_t* extra_info; void* stats; int error_code; void* progress_hook; void* user_data;
  uint32_t pad3[3]; uint8_t *pad4, *pad5; uint32_t pad6[8]; void *memory_, *memory_argb_; void* pad7[2];
};
int WebPPictureInitInternal(WebPPicture*, int);
int WebPEncode(const WebPConfig*, WebPPicture*);
"""


class LibWebP:
    """Decodes and encodes without the GIL, so that threads use all cores."""

    def __init__(self, ffi: cffi.FFI, library: Any) -> None:
        self._ffi = ffi
        self._lib = library

    def decode_planes(self, data: bytes, width: int, height: int) -> Planes:
        """The stored colour planes of a still, lossy, opaque picture.

        Raises `ValueError` unless it decodes to this size.
        """
        planes = Planes.blank(width, height)
        y, u, v = (self._ffi.from_buffer("uint8_t[]", plane) for plane in (planes.y, planes.u, planes.v))
        half = planes.chroma_width
        if not self._lib.WebPDecodeYUVInto(data, len(data), y, len(y), width, u, len(u), half, v, len(v), half):
            raise ValueError("libwebp could not decode this picture")
        return planes

    def decode_rgba(self, data: bytes, width: int, height: int) -> bytearray:
        """Rows of RGBA, 4 bytes a pixel, of a still picture. Raises `ValueError` unless it decodes to this size."""
        pixels = bytearray(width * height * 4)
        buffer = self._ffi.from_buffer("uint8_t[]", pixels)
        if not self._lib.WebPDecodeRGBAInto(data, len(data), buffer, len(pixels), width * 4):
            raise ValueError("libwebp could not decode this picture")
        return pixels

    def encode_planes(self, planes: Planes, quality: int) -> bytes:
        """A lossy WebP file of these planes, `quality` 0-100. Raises `ValueError` with libwebp's error number."""
        config = self._ffi.new("WebPConfig*")
        picture = self._ffi.new("WebPPicture*")
        writer = self._ffi.new("WebPMemoryWriter*")
        self._lib.WebPConfigInitInternal(config, 0, quality, _ENCODER_ABI)
        self._lib.WebPPictureInitInternal(picture, _ENCODER_ABI)
        self._lib.WebPMemoryWriterInit(writer)
        config.method = WEBP_METHOD
        config.segments, config.filter_strength = _SEGMENTS, _FILTER_STRENGTH
        picture.width, picture.height = planes.width, planes.height
        buffers = [self._ffi.from_buffer("uint8_t[]", plane) for plane in (planes.y, planes.u, planes.v)]
        picture.y, picture.u, picture.v = buffers
        picture.y_stride, picture.uv_stride = planes.width, planes.chroma_width
        picture.writer = self._ffi.addressof(self._lib, "WebPMemoryWrite")
        picture.custom_ptr = writer
        try:
            if not self._lib.WebPEncode(config, picture):
                raise ValueError(f"libwebp could not encode this picture: error {picture.error_code}")
            return bytes(self._ffi.buffer(writer.mem, writer.size))
        finally:
            self._lib.WebPMemoryWriterClear(writer)


@lru_cache(maxsize=1)
def find_libwebp() -> LibWebP | None:
    """The libwebp of this machine, or None where there is none whose ABI we know."""
    features.check("webp")  # loads Pillow's own copy first, so that both of us share one
    ffi = cffi.FFI()
    ffi.cdef(_DECLARATIONS)
    for name in (_file_in_pillow(), ctypes.util.find_library("webp")):
        try:
            library = ffi.dlopen(name) if name else None
        except OSError:
            continue
        if library is not None and _has_our_abi(ffi, library):
            return LibWebP(ffi, library)
    return None


def _file_in_pillow() -> str | None:
    """The library inside Pillow's wheel: "pillow.libs/libwebp-….so.7…" or "PIL/.dylibs/libwebp.7.dylib"."""
    for file in metadata.files("pillow") or ():
        if file.name.startswith(("libwebp-", "libwebp.")):
            return str(Path(str(file.locate())))
    return None


def _has_our_abi(ffi: cffi.FFI, library: Any) -> bool:
    try:
        config, picture = ffi.new("WebPConfig*"), ffi.new("WebPPicture*")
        return bool(
            library.WebPConfigInitInternal(config, 0, 75.0, _ENCODER_ABI)
            and library.WebPPictureInitInternal(picture, _ENCODER_ABI)
            and config.quality == 75.0
            and config.qmax == 100
            and library.WebPMemoryWriterClear
        )
    except AttributeError:
        return False
