"""Awkward pictures, made here, and what becomes of them."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from foveal import imaging
from foveal.imaging import PREDICTION_BYTES, TRAINING_BYTES, ImageRefused, decode, model_input, renditions

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def scene(width: int = 320, height: int = 280) -> Image.Image:
    """Four plain quarters: red, green / blue, white."""
    pixels = np.zeros((height, width, 3), np.uint8)
    middle_y, middle_x = height // 2, width // 2
    pixels[:middle_y, :middle_x], pixels[:middle_y, middle_x:] = RED, GREEN
    pixels[middle_y:, :middle_x], pixels[middle_y:, middle_x:] = BLUE, WHITE
    return Image.fromarray(pixels)


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def photo(width: int, height: int) -> bytes:
    return saved(scene(width, height), "JPEG", quality=95, subsampling=0)


def read(data: bytes, shrink_to: int | None = None) -> Image.Image:
    return decode(data, max_bytes=TRAINING_BYTES, shrink_to=shrink_to)


def refusal(data: bytes, max_bytes: int = TRAINING_BYTES) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        decode(data, max_bytes=max_bytes)
    with pytest.raises(ImageRefused):
        renditions(data, max_bytes=max_bytes)
    return caught.value


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    width, height = image.size
    points = ((4, 4), (width - 5, 4), (4, height - 5), (width - 5, height - 5))
    return [tuple(int(value) for value in np.asarray(image)[y, x]) for x, y in points]


def close(found: object, expected: object, tolerance: int = 12) -> bool:
    return bool(np.abs(np.asarray(found, int) - np.asarray(expected, int)).max() <= tolerance)


def png(width: int, height: int, *chunks: tuple[bytes, bytes], depth: int = 8, colour: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def gif(screen: tuple[int, int], frame: tuple[int, int], disposal: int = 0) -> bytes:
    control = b"!\xf9\x04" + bytes([disposal << 2, 0, 0, 0, 0])
    descriptor = b"," + struct.pack("<4HB", 0, 0, *frame, 0)
    table = b"\x80\x00\x00" + bytes(6)
    return b"GIF89a" + struct.pack("<HH", *screen) + table + control + descriptor + b"\x02\x01\x44\x00;"


class TestFormats:
    @pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "GIF"])
    def test_reads_the_four(self, format: str) -> None:
        image = read(saved(scene(), format))
        assert image.mode == "RGB"
        assert image.size == (320, 280)
        assert close(corners(image), [RED, GREEN, BLUE, WHITE])

    @pytest.mark.parametrize(
        ("data", "word"),
        [
            (b"", "empty"),
            (b"hello, I am text", "unknown"),
            (b"\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
            (b"<!doctype html><p>404", "HTML"),
            (b"PK\x03\x04" + bytes(40), "zip"),
            (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "WebP"),
            (b"\x00\x00\x00\x18ftypheic", "HEIC"),
            (b"II*\x00" + bytes(40), "TIFF"),
        ],
    )
    def test_refuses_the_others_by_name(self, data: bytes, word: str) -> None:
        error = refusal(data)
        assert error.code == "BadRequestImageFormat"
        assert word in str(error)

    def test_a_jpeg_named_by_nothing_but_its_first_bytes(self) -> None:
        assert refusal(b"\xff\xd8\xff" + bytes(100)).code == "BadRequestImageFormat"


class TestColours:
    def test_cmyk(self) -> None:
        image = read(saved(scene().convert("CMYK"), "JPEG", quality=95))
        assert close(corners(image), [RED, GREEN, BLUE, WHITE], 25)

    def test_sixteen_bits_are_scaled_and_not_clipped(self) -> None:
        ramp = np.linspace(0, 65535, 512).astype(np.uint16)[None].repeat(300, 0)
        image = read(saved(Image.fromarray(ramp), "PNG"))
        assert close(np.asarray(image)[0, :, 0], np.linspace(0, 255, 512), 1)

    def test_one_bit(self) -> None:
        pixels = np.asarray(read(saved(scene().convert("1", dither=Image.Dither.NONE), "PNG")))
        assert pixels[5, 5].tolist() == [0, 0, 0]  # red is dark
        assert pixels[-5, -5].tolist() == [255, 255, 255]

    def test_a_transparent_palette_lies_on_white(self) -> None:
        image = scene().quantize(4)
        index = image.getpixel((4, 4))
        assert corners(read(saved(image, "PNG", transparency=index)))[0] == WHITE
        assert close(corners(read(saved(image, "PNG", transparency=index)))[1], GREEN)

    def test_grey_with_alpha_lies_on_white(self) -> None:
        assert close(corners(read(saved(Image.new("LA", (300, 300), (0, 51)), "PNG"))), [(204, 204, 204)] * 4, 1)

    def test_a_transparent_colour_lies_on_white(self) -> None:
        assert corners(read(saved(scene(), "PNG", transparency=RED)))[0] == WHITE

    def test_the_first_frame_of_an_animation(self) -> None:
        others = [Image.new("RGB", (320, 280), "black")]
        image = read(saved(scene(), "GIF", save_all=True, append_images=others, duration=50))
        assert close(corners(image), [RED, GREEN, BLUE, WHITE])

    def test_a_profile_is_applied(self) -> None:
        profile = swapped_profile()
        plain, profiled = saved(scene(), "PNG"), saved(scene(), "PNG", icc_profile=profile)
        assert close(corners(read(plain))[0], RED, 0)
        assert close(corners(read(profiled))[0], BLUE, 8)

    def test_a_broken_profile_is_ignored(self) -> None:
        profile = bytes(16) + b"RGB " + bytes(200)
        assert close(corners(read(saved(scene(), "JPEG", icc_profile=profile))), [RED, GREEN, BLUE, WHITE])

    def test_a_profile_of_another_kind_is_ignored(self) -> None:
        profile = profile_bytes("LAB")
        assert close(corners(read(saved(scene(), "PNG", icc_profile=profile))), [RED, GREEN, BLUE, WHITE])


def profile_bytes(space: Literal["LAB", "sRGB"]) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def swapped_profile() -> bytes:
    """Return an sRGB profile in which red and blue are exchanged, under another name."""
    profile = profile_bytes("sRGB")
    tags = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    count = struct.unpack_from(">I", profile, 128)[0]
    table = bytearray(profile)
    for at in range(132, 132 + 12 * count, 12):
        table[at : at + 4] = tags.get(profile[at : at + 4], profile[at : at + 4])
    return (
        bytes(table)
        .replace("sRGB".encode("utf-16-be"), "Test".encode("utf-16-be"))
        .replace(b"sRGB built", b"Test built")
    )


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("format", ["JPEG", "PNG"])
    def test_is_applied(self, orientation: int, format: str) -> None:
        back = {
            1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
            7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
        }[orientation]  # fmt: skip
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = scene() if back is None else scene().transpose(back)
        data = saved(stored, format, exif=exif)
        assert read(data).size == (320, 280)
        assert close(corners(read(data)), [RED, GREEN, BLUE, WHITE], 30)
        kept = renditions(data, max_bytes=TRAINING_BYTES)
        assert (kept.width, kept.height) == (320, 280)
        assert close(corners(read(kept.image)), [RED, GREEN, BLUE, WHITE], 30)

    @pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow looks for the resolution, and warns
    @pytest.mark.parametrize(
        "block", [b"", b"II*\x00", b"MM\x00*\xff\xff\xff\xff", b"II*\x00\x08\x00\x00\x00\xff\xff\x12\x01"]
    )
    def test_a_damaged_block_counts_as_upright(self, block: bytes) -> None:
        data = photo(320, 280)
        body = b"Exif\x00\x00" + block
        data = data[:20] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[20:]
        assert close(corners(read(data)), [RED, GREEN, BLUE, WHITE])


class TestLimits:
    def test_bytes(self) -> None:
        data = photo(300, 300) + bytes(PREDICTION_BYTES)
        error = refusal(data, PREDICTION_BYTES)
        assert error.code == "BadRequestImageSizeBytes"
        assert str(PREDICTION_BYTES) in str(error)
        assert decode(data, max_bytes=TRAINING_BYTES).size == (300, 300)

    def test_the_longest_side(self) -> None:
        assert refusal(saved(Image.new("1", (10_241, 500)), "PNG")).code == "BadRequestImageDimensions"
        assert read(saved(Image.new("1", (10_240, 500)), "PNG")).size == (10_240, 500)

    def test_the_aspect(self) -> None:
        assert refusal(saved(Image.new("1", (1001, 40)), "PNG")).code == "BadRequestImageAspectRatio"
        assert read(saved(Image.new("1", (1000, 40)), "PNG")).size == (1000, 40)

    def test_a_pixel_is_enough(self) -> None:
        kept = renditions(saved(Image.new("RGB", (1, 1), RED), "PNG"), max_bytes=TRAINING_BYTES)
        assert (kept.width, kept.height) == (256, 256)
        assert close(corners(read(kept.image)), [RED] * 4)

    def test_no_pixel_is_not(self) -> None:
        assert refusal(png(0, 0)).code in {"BadRequestImageDimensions", "BadRequestImageFormat"}

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize(
        "bomb",
        [
            png(60_000, 60_000, (b"IDAT", zlib.compress(bytes(1000)))),
            png(10_000, 300_000, (b"IDAT", zlib.compress(bytes(1000)))),
            gif((65_535, 65_535), (1, 1)),
            gif((10, 10), (30_000, 30_000)),
            gif((10_000, 10_000), (10_000, 10_000), disposal=2),
        ],
    )
    def test_a_bomb_is_refused_by_its_header(self, bomb: bytes) -> None:
        assert refusal(bomb).code == "BadRequestImageDimensions"

    @pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
    def test_a_text_bomb_never_unfolds(self, kind: bytes) -> None:
        folded = zlib.compress(bytes(50_000_000))
        body = b"k\x00\x01\x00\x00\x00" + folded if kind == b"iTXt" else b"k\x00\x00" + folded
        data = png(300, 300, (kind, body), (b"IDAT", zlib.compress(bytes(301 * 300))))
        with suppress(ImageRefused):
            assert read(data).size == (300, 300)

    def test_a_progressive_jpeg_of_a_thousand_scans(self) -> None:
        data = saved(Image.new("L", (5000, 5000)), "JPEG", progressive=True, quality=10)
        scan = data[data.rindex(b"\xff\xda") : -2]
        assert "times over" in str(refusal(data[:-2] + scan * 1000 + data[-2:]))

    @pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "GIF"])
    @pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
    def test_a_truncated_file(self, format: str, part: float) -> None:
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8))
        data = saved(noise, format)
        assert refusal(data[: int(len(data) * part)]).code == "BadRequestImageFormat"

    @pytest.mark.filterwarnings("ignore::UserWarning")
    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_any_damage_is_a_refusal_or_a_picture(self, data: st.DataObject) -> None:
        format = data.draw(st.sampled_from(["JPEG", "PNG", "BMP", "GIF"]))
        damaged = bytearray(saved(scene(40, 30), format))
        for _ in range(data.draw(st.integers(1, 6))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        try:
            kept = renditions(bytes(damaged), max_bytes=TRAINING_BYTES)
        except ImageRefused:
            return
        assert read(kept.thumbnail).mode == "RGB"


class TestShrinking:
    def test_a_large_jpeg_is_decoded_smaller(self) -> None:
        image = read(photo(2000, 1500), shrink_to=224)
        assert 224 <= min(image.size) < 448
        assert close(corners(image), [RED, GREEN, BLUE, WHITE])

    @given(st.integers(40, 900), st.integers(40, 900), st.integers(1, 600))  # sides within 25:1
    @settings(max_examples=30, deadline=None)
    def test_never_below_what_is_asked(self, width: int, height: int, shrink_to: int) -> None:
        image = read(photo(width, height), shrink_to=shrink_to)
        assert min(image.size) >= min(width, height, shrink_to)


class TestModelInput:
    def test_is_a_stretched_square(self) -> None:
        pixels = model_input(scene(1000, 400), 224)
        assert pixels.shape == (224, 224, 3)
        assert pixels.dtype == np.uint8
        assert pixels.flags.writeable
        assert close(pixels[[2, 2, -3, -3], [2, -3, 2, -3]], [RED, GREEN, BLUE, WHITE])

    def test_does_not_alias(self) -> None:
        board = np.indices((900, 900)).sum(0) % 2 * 255
        pixels = model_input(Image.fromarray(board.astype(np.uint8)).convert("RGB"), 100)
        assert close(pixels, np.full((100, 100, 3), 127), 6)

    def test_grows_a_small_picture(self) -> None:
        assert close(model_input(Image.new("RGB", (3, 3), BLUE), 64), np.full((64, 64, 3), BLUE), 0)


class TestRenditions:
    def test_keeps_an_upload_that_is_fine_already(self) -> None:
        data = photo(640, 480)
        kept = renditions(data, max_bytes=TRAINING_BYTES)
        assert kept.image == data
        assert (kept.width, kept.height, kept.content_type) == (640, 480, "image/jpeg")

    @pytest.mark.parametrize(
        ("size", "expected"),
        [
            ((4000, 3000), (1600, 1200)),
            ((1200, 3200), (600, 1600)),
            ((100, 200), (256, 512)),
            ((1000, 40), (1600, 64)),
            ((2000, 100), (1600, 80)),
            ((1600, 256), (1600, 256)),
        ],
    )
    @pytest.mark.parametrize("format", ["JPEG", "PNG"])
    def test_bounds_the_sides(self, size: tuple[int, int], expected: tuple[int, int], format: str) -> None:
        kept = renditions(saved(scene(*size), format), max_bytes=TRAINING_BYTES)
        assert (kept.width, kept.height) == expected
        assert read(kept.image).size == expected
        assert close(corners(read(kept.image)), [RED, GREEN, BLUE, WHITE], 60)

    @pytest.mark.parametrize("size", [(640, 480), (480, 640), (3000, 2000)])
    def test_makes_a_thumbnail(self, size: tuple[int, int]) -> None:
        thumbnail = read(renditions(photo(*size), max_bytes=TRAINING_BYTES).thumbnail)
        assert max(thumbnail.size) == imaging.THUMBNAIL_SIDE
        assert thumbnail.width / thumbnail.height == pytest.approx(size[0] / size[1], rel=0.02)
        assert close(corners(thumbnail), [RED, GREEN, BLUE, WHITE], 40)

    def test_a_cmyk_jpeg_is_not_kept(self) -> None:
        data = saved(scene().convert("CMYK"), "JPEG")
        image = Image.open(io.BytesIO(renditions(data, max_bytes=TRAINING_BYTES).image))
        assert image.mode == "RGB"

    def test_a_shortened_jpeg_is_found_out_though_it_would_be_kept(self) -> None:
        data = photo(640, 480)
        with pytest.raises(ImageRefused):
            renditions(data[:-40], max_bytes=TRAINING_BYTES)


@pytest.fixture(autouse=True)
def pillow_settings_stay() -> Iterator[None]:
    before = Image.MAX_IMAGE_PIXELS
    yield
    assert before == Image.MAX_IMAGE_PIXELS
