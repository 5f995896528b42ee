"""A fully convolutional network's file for images of another size."""

from pathlib import Path

import onnx

HEIGHT_AND_WIDTH = (2, 3)


def at_size(network: Path | bytes, size_px: int) -> bytes:
    """Give the same network for `image` (batch, 3, size_px, size_px): its weights do not depend on the size."""
    model = onnx.load_from_string(network) if isinstance(network, bytes) else onnx.load(network)
    shape = model.graph.input[0].type.tensor_type.shape
    for axis in HEIGHT_AND_WIDTH:
        shape.dim[axis].dim_value = size_px
    del model.graph.value_info[:]
    return model.SerializeToString(deterministic=True)
