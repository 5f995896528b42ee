"""Read, upright, bound and resize pictures: one truth for training, serving and exports; no torch.

Bytes from strangers enter here and leave as upright 8-bit RGB in sRGB, or as an `ImageRefused` that says why.
"""

import struct
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from foveal.errors import Invalid

TRAINING_BYTES: Final = 6 * 1024 * 1024
PREDICTION_BYTES: Final = 4 * 1024 * 1024
MAX_SIDE: Final = 10_240
MAX_ASPECT: Final = 25
MIN_SIDE: Final = 256
RENDITION_SIDE: Final = 1600
THUMBNAIL_SIDE: Final = 320

RENDITION_QUALITY: Final = 90
THUMBNAIL_QUALITY: Final = 82

# A progressive JPEG walks all its pixels once per scan, so a small file with thousands of scans costs hours.
MAX_SCANNED_PIXELS: Final = 4_000_000_000
# Pillow warns above this inside its GIF reader, where a warning cannot be kept from leaking.
MAX_GIF_PIXELS: Final = 89_000_000

OPENERS: Final[tuple[tuple[bytes, type[ImageFile.ImageFile]], ...]] = (
    (b"\xff\xd8\xff", JpegImageFile),
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"GIF87a", GifImageFile),
    (b"GIF89a", GifImageFile),
    (b"BM", BmpImageFile),
)
STRANGERS: Final[tuple[tuple[int, bytes, str], ...]] = (
    (8, b"WEBP", "WebP"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyp", "HEIC or another video container"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"%PDF", "PDF"),
    (0, b"<", "markup, such as SVG or HTML"),
)
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS: Final = frozenset({5, 6, 7, 8})
PROFILE_SPACES: Final = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
# What Pillow's readers raise on damaged files; anything else would be our own fault.
DAMAGED: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    AssertionError,
    AttributeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


class ImageRefused(Invalid):
    """The bytes are not a picture that this service takes."""

    default_code = "BadRequestImageFormat"


@dataclass(frozen=True, slots=True)
class Renditions:
    """What is kept of an uploaded picture; `width` and `height` describe `image`."""

    width: int
    height: int
    image: bytes
    thumbnail: bytes
    content_type: str


def decode(data: bytes, *, max_bytes: int, shrink_to: int | None = None) -> Image.Image:
    """Return the picture in `data`, upright, in 8-bit sRGB.

    With `shrink_to` a large JPEG may come back smaller (never below that many pixels on its short side), several
    times faster.
    """
    with _refusing_damage():
        opened = _open(data, max_bytes)
        return _pixels(opened, None if shrink_to is None else (shrink_to, shrink_to))


def model_input(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """Stretch `image` to a square of `size` pixels: (size, size, 3).

    Box averaging down to twice the size, then a triangle filter: as smooth as one wide filter, at a third of the time.
    """
    return np.array(_resized(image, (size, size)), dtype=np.uint8)


def renditions(data: bytes, *, max_bytes: int) -> Renditions:
    """Make the stored picture (sides bounded, upright JPEG) and its thumbnail from an upload.

    An upload that already is what we would store is kept byte for byte.
    """
    with _refusing_damage():
        opened = _open(data, max_bytes)
        orientation = _orientation(opened)
        target = _bounded(opened.size)
        if isinstance(opened, JpegImageFile) and orientation == 1 and target == opened.size and opened.mode != "CMYK":
            # The reduced decoding still reads the file to its end, so a truncated one is found out.
            small = _pixels(opened, _within(target, THUMBNAIL_SIDE))
            return Renditions(*target, data, _thumbnail(small), "image/jpeg")
        upright = (target[1], target[0]) if orientation in SIDEWAYS else target
        image = _resized(_pixels(opened, target), upright)
        return Renditions(*image.size, _jpeg(image, RENDITION_QUALITY, "4:4:4"), _thumbnail(image), "image/jpeg")


@contextmanager
def _refusing_damage() -> Generator[None]:
    try:
        yield
    except DAMAGED as damage:
        raise ImageRefused(f"The image is damaged or incomplete and cannot be read: {damage}") from damage


def _open(data: bytes, max_bytes: int) -> ImageFile.ImageFile:
    """Read the header and check what it promises, before any pixel is decoded."""
    if len(data) > max_bytes:
        raise ImageRefused(
            f"The image has {len(data)} bytes; at most {max_bytes} are taken.", "BadRequestImageSizeBytes"
        )
    opener = next((opener for magic, opener in OPENERS if data.startswith(magic)), None)
    if opener is None:
        raise ImageRefused(f"The image must be a JPEG, PNG, BMP or GIF file, not {_stranger(data)}.")
    if opener is GifImageFile:
        _check_gif(data)
    # Opened by class: Image.open would warn about large pictures, and would try all frames of a phone's MPO.
    opened = opener(BytesIO(data))
    _check_sides(*opened.size)
    if isinstance(opened, JpegImageFile):
        _check_scans(data, opened)
    return opened


def _stranger(data: bytes) -> str:
    if not data:
        return "an empty file"
    head = data[:64].lstrip()
    known = (name for at, magic, name in STRANGERS if head[at : at + len(magic)] == magic)
    return next(known, "unknown data")


def _check_sides(width: int, height: int) -> None:
    if width < 1 or height < 1 or max(width, height) > MAX_SIDE:
        raise ImageRefused(
            f"The image is {width}x{height} pixels; sides of 1 to {MAX_SIDE} pixels are taken.",
            "BadRequestImageDimensions",
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageRefused(
            f"The image is {width}x{height} pixels; one side may be at most {MAX_ASPECT} times the other.",
            "BadRequestImageAspectRatio",
        )


def _check_scans(data: bytes, opened: JpegImageFile) -> None:
    scans = data.count(b"\xff\xda")
    if "progressive" in opened.info and scans * opened.width * opened.height > MAX_SCANNED_PIXELS:
        raise ImageRefused(f"The image draws its {opened.width}x{opened.height} pixels {scans} times over.")


def _check_gif(data: bytes) -> None:
    """Bound the canvas of the first frame, which may be larger than the screen that the header promises."""
    width, height = struct.unpack_from("<HH", data, 6)
    at = 13 + _colour_table_bytes(data[10])
    while data[at] == ord("!"):
        at = _after_blocks(data, at + 2)
    if data[at] == ord(","):
        left, top, across, down = struct.unpack_from("<4H", data, at + 1)
        width, height = max(width, left + across), max(height, top + down)
    _check_sides(width, height)
    if width * height > MAX_GIF_PIXELS:
        raise ImageRefused(
            f"The GIF is {width}x{height} pixels; at most {MAX_GIF_PIXELS} pixels are taken.",
            "BadRequestImageDimensions",
        )


def _colour_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


def _orientation(opened: ImageFile.ImageFile) -> int:
    """Return the EXIF orientation, 1 to 8; read here because Pillow's own reader warns about damage elsewhere."""
    exif = opened.info.get("exif")
    if not isinstance(exif, bytes):
        return 1
    block = exif.removeprefix(b"Exif\x00\x00")
    try:
        order = {b"II*\x00": "<", b"MM\x00*": ">"}[block[:4]]
        (start,) = struct.unpack_from(f"{order}I", block, 4)
        (entries,) = struct.unpack_from(f"{order}H", block, start)
        tags = (struct.unpack_from(f"{order}HHIH", block, start + 2 + 12 * entry) for entry in range(entries))
        found = next((value for tag, kind, _, value in tags if (tag, kind) == (0x0112, 3)), 1)
    except (KeyError, struct.error):
        return 1
    return found if found in TURNS else 1


def _pixels(opened: ImageFile.ImageFile, needed: tuple[int, int] | None) -> Image.Image:
    """Decode to upright sRGB; a JPEG in the smallest of its reduced sizes that still covers `needed`."""
    if needed is not None:
        opened.draft(None, needed)
    opened.load()
    # A PNG may carry its orientation behind the pixels, so it is read after them.
    turn = TURNS.get(_orientation(opened))
    image = _on_white(_in_srgb(_eight_bit(opened), opened.info.get("icc_profile")))
    upright = image if turn is None else image.transpose(turn)
    upright.info = {}
    return upright


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return L, RGB, RGBA or CMYK: no palette, no bits, no 16-bit samples."""
    if image.mode.startswith("I"):
        samples = np.asarray(image)
        return Image.fromarray((samples >> 8).astype(np.uint8))
    if "transparency" in image.info or image.mode in {"LA", "PA", "La", "RGBa"}:
        return image.convert("RGBA")
    if image.mode in {"L", "RGB", "RGBA", "CMYK"}:
        return image.copy() if image.readonly else image
    return image.convert("L" if image.mode == "1" else "RGB")


def _in_srgb(image: Image.Image, icc_profile: object) -> Image.Image:
    """Return RGB or RGBA; a profile that is broken, or made for another kind of picture, is ignored."""
    if isinstance(icc_profile, bytes) and icc_profile:
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        colours = image.convert("RGB") if alpha else image
        converted = _converted(colours, icc_profile)
        if converted is not None:
            if alpha:
                converted.putalpha(alpha)
            return converted
    return image if image.mode in {"RGB", "RGBA"} else image.convert("RGB")


def _converted(image: Image.Image, icc_profile: bytes) -> Image.Image | None:
    if icc_profile[16:20] != PROFILE_SPACES[image.mode]:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc_profile))
        if "srgb" in ImageCms.getProfileDescription(profile).lower():
            return None
        srgb = ImageCms.createProfile("sRGB")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] untyped in Pillow
        return ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")  # pyright: ignore[reportUnknownArgumentType]
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _bounded(size: tuple[int, int]) -> tuple[int, int]:
    """Scale the short side up to `MIN_SIDE` and the long side down to `RENDITION_SIDE`; the latter wins."""
    scale = min(max(1.0, MIN_SIDE / min(size)), RENDITION_SIDE / max(size))
    return _scaled(size, scale)


def _within(size: tuple[int, int], side: int) -> tuple[int, int]:
    return _scaled(size, min(1.0, side / max(size)))


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def _thumbnail(image: Image.Image) -> bytes:
    return _jpeg(_resized(image, _within(image.size, THUMBNAIL_SIDE)), THUMBNAIL_QUALITY, "4:2:0")


def _jpeg(image: Image.Image, quality: int, subsampling: str) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality, subsampling=subsampling)
    return out.getvalue()
