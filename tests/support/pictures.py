"""Small pictures, quickly made and all different."""

from io import BytesIO

import numpy as np
from PIL import Image

COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 200)}


def picture(seed: int, colour: str = "red", *, size: tuple[int, int] = (64, 48), format: str = "PNG") -> bytes:
    """Draw a noisy picture of one colour; width and height in pixels."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 25, (size[1], size[0], 3))
    pixels = np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, format)
    return out.getvalue()
