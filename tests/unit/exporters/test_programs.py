"""The program in a zip sees a photo as the service does: whatever kind of file it is."""

from io import BytesIO
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.support.pictures import picture

from foveal import imaging
from foveal.exporters import material

SIZE_PX = 224
ORIENTATION = 0x0112
# Pillow 13's own conversion of colours and ours round alike; a level is let pass for other versions.
LEVEL = 1


@pytest.fixture(scope="module")
def program() -> ModuleType:
    return material.module(material.PYTHON / "predict.py")


def scene(size: tuple[int, int] = (1300, 900)) -> Image.Image:
    """A picture with fine detail, so that another way of making it smaller shows."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (60, 80, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    fine = rng.normal(0, 20, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(coarse) + fine, 0, 255).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(scene(), "JPEG", exif=exif)


def transparent() -> bytes:
    image = scene().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return saved(image, "PNG")


def with_profile() -> bytes:
    """A photo with a profile that does not call itself sRGB: swapped colours, so that an ignored one shows."""
    content = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for letters in ("ascii", "utf-16-be"):
        content = content.replace("sRGB".encode(letters), "mine".encode(letters))
    swapped = content.replace(b"rXYZ", b"TEMP").replace(b"bXYZ", b"rXYZ").replace(b"TEMP", b"bXYZ")
    return saved(scene(), "JPEG", icc_profile=swapped)


FILES = {
    "a large JPEG": saved(scene(), "JPEG", quality=90),
    "a huge JPEG": saved(scene((3000, 2200)), "JPEG", quality=85),
    "a small JPEG": saved(scene((160, 120)), "JPEG"),
    "a progressive JPEG": saved(scene(), "JPEG", progressive=True),
    "a grey JPEG": saved(scene().convert("L"), "JPEG"),
    "a JPEG of print": saved(scene().convert("CMYK"), "JPEG"),
    "a JPEG with a profile": with_profile(),
    "a PNG": saved(scene(), "PNG"),
    "a PNG with a palette": saved(scene().quantize(64), "PNG"),
    "a PNG that is transparent": transparent(),
    "a GIF": saved(scene((400, 300)).quantize(64), "GIF"),
    "a BMP": saved(scene((400, 300)), "BMP"),
    **{f"a JPEG turned as {way}": turned(way) for way in range(1, 9)},
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("opened", ["by its path", "from its bytes"])
def test_a_photo_is_prepared_as_the_service_does(program: ModuleType, name: str, opened: str) -> None:
    data = FILES[name]
    decoded = imaging.decode(data, max_bytes=imaging.TRAINING_BYTES * 4, shrink_to=SIZE_PX)
    expected = imaging.model_input(decoded, SIZE_PX).astype(int)

    image = Image.open(BytesIO(data)) if opened == "by its path" else program.open_image(data, SIZE_PX)
    found = np.asarray(program.prepared(image, SIZE_PX)).astype(int)

    assert np.abs(found - expected).max() <= LEVEL


def test_the_profile_matters() -> None:
    plain, converted = (
        np.asarray(imaging.decode(data, max_bytes=1 << 30), int) for data in (saved(scene(), "JPEG"), with_profile())
    )
    assert np.abs(plain - converted).mean() > 5


@pytest.mark.parametrize("data", [b"", b"no picture", picture(1)[:100], b"\xff\xd8\xff\xe0" + b"\0" * 50])
def test_what_is_no_picture_is_a_value_error(program: ModuleType, data: bytes) -> None:
    with pytest.raises(ValueError, match="no picture that can be read"):
        program.open_image(data)
