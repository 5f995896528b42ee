"""A detector as one ONNX model: backbone, finder, decoded boxes, and the choice among boxes that overlap."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from foveal.engine import graph
from foveal.engine.calibration import Calibration
from foveal.engine.graph import LABELS, PIXELS
from foveal.engine.nodes import Nodes, square
from foveal.engine.resizing import at_size

STRIDES = (8, 16, 32)  # of the feature maps, in pixels
BOXES, CLASSES, SCORES = "detected_boxes", "detected_classes", "detected_scores"
ALL_BOXES, ALL_SCORES = "boxes", "scores"  # (1, a, 4) and (1, k, a), before the choice among them
MOST = 200  # boxes in an answer
FAINTEST = 0.01  # probability of a box in an answer
SAME_OBJECT = 0.5  # overlap from which the better of two boxes with one tag stands for both
LAYERS = (0, 2)  # of a tower, those that have weights
LARGEST = 6.0  # of the logarithm of a side in strides, as in `Finder`

Weights = Mapping[str, NDArray[np.floating]]


def detector_graph(
    backbone: Path | bytes,
    finder: Weights,
    labels: Sequence[str],
    *,
    size_px: int,
    calibrated: Calibration | None = None,
) -> bytes:
    """Compose `image` float32 (1, 3, s, s), RGB 0..255 -> what was found, the most probable first, at most 200.

    `detected_boxes` (1, m, 4) are corners x1, y1, x2, y2 relative to the image, `detected_classes` (1, m) int64 columns
    of the labels, `detected_scores` (1, m) probabilities: the sigmoid of calibrated logits. Of boxes with one tag that
    overlap, the best is left.

    Args:
        backbone: its file, or the bytes of one.
        finder: the weights of a `Finder` by name.
        labels: of the tags.
        size_px: side of the image, a multiple of 32.
        calibrated: scale and shift (1,) of the logits.
    """
    model = onnx.load_from_string(at_size(graph.feature_maps(backbone), size_px))
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    nodes = Nodes()
    boxes, logits = _found(nodes, finder, size_px)
    scale, shift = (1.0, 0.0) if calibrated is None else (calibrated.scale, float(calibrated.shift[0]))
    scaled = nodes.add("Mul", [logits, nodes.constant(np.float32(scale), "score_scale")], "logits_scaled")
    shifted = nodes.add("Add", [scaled, nodes.constant(np.float32(shift), "score_shift")], "logits_shifted")
    scores = nodes.add("Sigmoid", [nodes.add("Transpose", [shifted], "logits_by_tag", perm=[0, 2, 1])], ALL_SCORES)
    _choose(nodes, boxes, scores)
    model.graph.node.extend(nodes.nodes)
    model.graph.initializer.extend(nodes.weights)
    del model.graph.output[:]
    model.graph.output.extend(
        [
            helper.make_tensor_value_info(BOXES, TensorProto.FLOAT, [1, "found", 4]),
            helper.make_tensor_value_info(CLASSES, TensorProto.INT64, [1, "found"]),
            helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, [1, "found"]),
        ]
    )
    helper.set_model_props(model, {**PIXELS, LABELS: json.dumps(list(labels), ensure_ascii=False)})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _found(nodes: Nodes, finder: Weights, size_px: int) -> tuple[str, str]:
    """The same as `Finder`: boxes (1, a, 4), relative to the image, and logits (1, a, k)."""
    for name in (*(f"{tower}.{layer}" for tower in ("scoring", "boxing") for layer in LAYERS), "logits"):
        _load(nodes, finder, name)
    # The offsets and the logarithms are two layers here, so that nothing must be cut apart.
    for name, part in (("offset", slice(0, 2)), ("side", slice(2, 4))):
        _load(nodes, {f"{name}.{key}": finder[f"sides.{key}"][part] for key in ("weight", "bias")}, name)
    parts: dict[str, list[str]] = {"logits": [], "offset": [], "side": []}
    for level, (fused, stride) in enumerate(zip(_fused(nodes, finder), STRIDES, strict=True)):
        scored, boxed = (_tower(nodes, fused, tower, stride) for tower in ("scoring", "boxing"))
        kind = nodes.weight(finder[f"kinds.{level}.weight"], f"kinds.{level}.weight")
        told = nodes.add("Conv", [f"map{stride}", kind], f"kind_{stride}", **square(1))
        logits = _convolution(nodes, scored, "logits", f"score_{stride}", size=1)
        parts["logits"].append(nodes.add("Add", [logits, told], f"logits_{stride}"))
        for name in ("offset", "side"):
            parts[name].append(_convolution(nodes, boxed, name, f"{name}_{stride}", size=1))
    joined = {name: _joined(nodes, each, name) for name, each in parts.items()}
    return _decoded(nodes, joined["offset"], joined["side"], size_px), joined["logits"]


def _tower(nodes: Nodes, fused: str, tower: str, stride: int) -> str:
    for layer in LAYERS:
        name = f"{tower}{layer}_{stride}"
        fused = nodes.add("Relu", [_convolution(nodes, fused, f"{tower}.{layer}", name, size=3)], f"{name}_relu")
    return fused


def _joined(nodes: Nodes, levels: Sequence[str], name: str) -> str:
    """Maps (1, c, h, w) of all levels as one row of places: (1, a, c)."""
    shape = nodes.constant(np.array([1, 0, -1]), f"{name}_shape")  # 0: as it is
    rows = [nodes.add("Reshape", [each, shape], f"{each}_row") for each in levels]
    return nodes.add("Transpose", [nodes.add("Concat", rows, f"{name}_rows", axis=2)], f"all_{name}", perm=[0, 2, 1])


def _fused(nodes: Nodes, finder: Weights) -> list[str]:
    twice = nodes.constant(np.array([1, 1, 2, 2], np.float32), "twice")
    fused: list[str] = []
    above = ""
    for level, stride in reversed(list(enumerate(STRIDES))):
        lateral, smooth = f"lateral.{level}", f"smooth.{level}"
        _load(nodes, finder, lateral)
        _load(nodes, finder, smooth)
        here = _convolution(nodes, f"map{stride}", lateral, f"lateral_{stride}", size=1)
        if above:
            way = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            larger = nodes.add("Resize", [above, "", twice], f"above_{stride}", **way)
            here = nodes.add("Add", [here, larger], f"joined_{stride}")
        above = nodes.add("Relu", [here], f"joined_{stride}_relu")
        smoothed = _convolution(nodes, above, smooth, f"smooth_{stride}", size=3)
        fused.append(nodes.add("Relu", [smoothed], f"smooth_{stride}_relu"))
    return fused[::-1]


def _decoded(nodes: Nodes, offsets: str, sides: str, size_px: int) -> str:
    middles, strides = places(size_px)
    step = nodes.constant((strides / size_px)[None, :, None], "strides")
    half_step = nodes.constant((strides / size_px / 2)[None, :, None], "half_strides")
    moved = nodes.add("Mul", [offsets, step], "offsets_relative")
    middle = nodes.add("Add", [moved, nodes.constant((middles / size_px)[None], "places")], "middles")
    bounded = nodes.add("Min", [sides, nodes.constant(np.float32(LARGEST), "largest_side")], "sides_bounded")
    half = nodes.add("Mul", [nodes.add("Exp", [bounded], "sides_in_strides"), half_step], "half_sides")
    corners = [nodes.add("Sub", [middle, half], "first_corners"), nodes.add("Add", [middle, half], "last_corners")]
    whole = nodes.add("Concat", corners, "corners", axis=2)
    limits = [nodes.constant(np.float32(at), name) for at, name in ((0, "left_edge"), (1, "right_edge"))]
    return nodes.add("Clip", [whole, *limits], ALL_BOXES)


def places(size_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The middles (a, 2), x and y, and the strides (a,), in pixels, of all places of a picture, the finest first."""
    middles, strides = list[NDArray[np.float32]](), list[NDArray[np.float32]]()
    for stride in STRIDES:
        line = (np.arange(size_px // stride, dtype=np.float32) + 0.5) * stride
        middles.append(np.stack(np.meshgrid(line, line), -1).reshape(-1, 2))
        strides.append(np.full(len(line) ** 2, stride, np.float32))
    return np.concatenate(middles), np.concatenate(strides)


def _choose(nodes: Nodes, boxes: str, scores: str) -> None:
    """Non-maximum suppression, tag by tag, and the most probable of what is left."""
    most = nodes.constant(np.array([MOST]), "most")
    limits = [nodes.constant(np.array([value], np.float32), name) for value, name in THRESHOLDS]
    chosen = nodes.add("NonMaxSuppression", [boxes, scores, most, *limits], "chosen")  # (m, 3): image, tag, place
    tag, place = (
        nodes.add("Gather", [chosen, nodes.constant(np.int64(column), f"{name}_column")], f"chosen_{name}", axis=1)
        for column, name in ((1, "tag"), (2, "place"))
    )
    both = nodes.constant(np.array([1, 2]), "tag_and_place")
    pairs = nodes.add("Gather", [chosen, both], "chosen_pairs", axis=1)
    flat = nodes.add("Squeeze", [scores, nodes.constant(np.array([0]), "first_axis")], "scores_of_image")
    probabilities = nodes.add("GatherND", [flat, pairs], "chosen_scores")
    count = nodes.add("Min", [nodes.add("Shape", [probabilities], "chosen_count"), most], "kept_count")
    nodes.nodes.append(helper.make_node("TopK", [probabilities, count], ["kept_scores", "kept"], name="kept"))
    whole = nodes.add("Squeeze", [boxes, "first_axis"], "boxes_of_image")
    kept_place = nodes.add("Gather", [place, "kept"], "kept_place")
    results = {
        BOXES: nodes.add("Gather", [whole, kept_place], "kept_boxes"),
        CLASSES: nodes.add("Gather", [tag, "kept"], "kept_classes"),
        SCORES: "kept_scores",
    }
    for name, each in results.items():
        nodes.add("Unsqueeze", [each, "first_axis"], name)


THRESHOLDS = ((SAME_OBJECT, "same_object"), (FAINTEST, "faintest"))


def _load(nodes: Nodes, finder: Weights, name: str) -> None:
    for key in ("weight", "bias"):
        nodes.weight(finder[f"{name}.{key}"], f"{name}.{key}")


def _convolution(nodes: Nodes, source: str, layer: str, name: str, *, size: int) -> str:
    return nodes.add("Conv", [source, f"{layer}.weight", f"{layer}.bias"], name, **square(size))
