"""A detector for Core ML's Vision: the network, and the choice among its boxes as a model of its own behind it."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from foveal.engine.detection.graph import ALL_BOXES, ALL_SCORES, FAINTEST, SAME_OBJECT
from foveal.engine.nodes import Nodes
from foveal.exporters.client_graph import shapes
from foveal.exporters.coreml.library import specification

CANDIDATES = 1000
"""Pairs of a box and a tag from which the final ones are chosen."""
CONFIDENCE, COORDINATES = "confidence", "coordinates"
OVERLAP, LEAST = "iouThreshold", "confidenceThreshold"
CANDIDATE = {CONFIDENCE: "candidate_confidence", COORDINATES: "candidate_coordinates"}
THRESHOLDS: Final = {OVERLAP: SAME_OBJECT, LEAST: FAINTEST}
MIDDLES_AND_SIDES: NDArray[np.float32] = np.array(
    [[0.5, 0, -1, 0], [0, 0.5, 0, -1], [0.5, 0, 1, 0], [0, 0.5, 0, 1]], np.float32
)
"""Corners x1, y1, x2, y2 times this are x, y, width, height."""
FIRST_WITH_SINGLE_PRECISION, DOUBLE = 5, 65600
"""The version of specifications (iOS 14) from which the choice takes other numbers than double ones; their type."""


def with_candidates(model: onnx.ModelProto) -> onnx.ModelProto:
    """Have a detector with the ending SCORED give its most probable pairs of a box and a tag.

    `candidate_confidence` (m, k) has one tag in each row, and `candidate_coordinates` (m, 4) are x, y, width and
    height. Core ML's choice knows one tag for each box, the most probable, and Vision takes the sum of a row for the
    probability of an object. Our tags are independent of each other, so that a box may stand for several: as a row for
    each, the choice among them is that of our own graph.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    _, tags, places = shapes(model)[ALL_SCORES]
    most = min(CANDIDATES, tags * places)
    nodes = Nodes()
    tag, corners = _chosen(nodes, tags, places, most)
    nodes.add("MatMul", [corners, nodes.constant(MIDDLES_AND_SIDES, "to_coordinates")], CANDIDATE[COORDINATES])
    column = nodes.add("Reshape", ["pair_scores", _sides(nodes, "pair_column", most, 1)], "pair_scores_column")
    rows = nodes.add("Gather", [nodes.constant(np.eye(tags, dtype=np.float32), "tag_rows"), tag], "pair_rows", axis=0)
    nodes.add("Mul", [rows, column], CANDIDATE[CONFIDENCE])
    changed.graph.node.extend(nodes.nodes)
    changed.graph.initializer.extend(nodes.weights)
    del changed.graph.output[:]
    for name, width in ((CONFIDENCE, tags), (COORDINATES, 4)):
        output = helper.make_tensor_value_info(CANDIDATE[name], TensorProto.FLOAT, [most, width])
        changed.graph.output.append(output)
    return changed


def _chosen(nodes: Nodes, tags: int, places: int, most: int) -> tuple[str, str]:
    """The tags (m,) and the corners (m, 4) of the most probable pairs; `pair_scores` are their probabilities."""
    pairs = nodes.add("Reshape", [ALL_SCORES, _sides(nodes, "pairs_shape", tags * places)], "pairs")
    count = _sides(nodes, "pairs_count", most)
    top = helper.make_node("TopK", [pairs, count], ["pair_scores", "pair_kept"], name="pair_kept", axis=0)
    nodes.nodes.append(top)
    each = nodes.constant(np.int64(places), "places_count")
    tag = nodes.add("Div", ["pair_kept", each], "pair_tag")
    place = nodes.add("Sub", ["pair_kept", nodes.add("Mul", [tag, each], "pair_before")], "pair_place")
    flat = nodes.add("Reshape", [ALL_BOXES, _sides(nodes, "boxes_shape", places, 4)], "boxes_flat")
    return tag, nodes.add("Gather", [flat, place], "pair_corners", axis=0)


def _sides(nodes: Nodes, name: str, *sides: int) -> str:
    return nodes.constant(np.array(sides), name)


def pipeline(network: Any, labels: Sequence[str]) -> Any:
    """Put the choice among boxes behind a network's specification; its outputs are `confidence` and `coordinates`."""
    if network.specificationVersion < FIRST_WITH_SINGLE_PRECISION:
        for output in network.description.output:
            output.type.multiArrayType.dataType = DOUBLE
    choice = _choice(network, labels)
    whole = specification()(specificationVersion=network.specificationVersion)
    whole.description.input.append(network.description.input[0])
    whole.description.input.extend([each for each in choice.description.input if each.name in THRESHOLDS])
    whole.description.output.extend(choice.description.output)
    whole.description.metadata.CopyFrom(network.description.metadata)
    whole.pipeline.models.extend([network, choice])
    whole.pipeline.names.extend(["network", "choice"])
    return whole


def _choice(network: Any, labels: Sequence[str]) -> Any:
    model = specification()(specificationVersion=network.specificationVersion)
    widths = {CONFIDENCE: len(labels), COORDINATES: 4}
    outputs = {each.name: each for each in network.description.output}
    for name, width in widths.items():
        source = model.description.input.add()
        source.CopyFrom(outputs[CANDIDATE[name]])
        _describe(model.description.output.add(name=name), source, width)
    for name in THRESHOLDS:
        threshold = model.description.input.add(name=name)
        threshold.type.doubleType.SetInParent()
        threshold.type.isOptional = True
    _set(model.nonMaximumSuppression, labels)
    return model


def _describe(output: Any, source: Any, width: int) -> None:
    """Any number of rows, of the same type as the candidates."""
    array = output.type.multiArrayType
    array.dataType = source.type.multiArrayType.dataType
    array.shapeRange.sizeRanges.add(lowerBound=0, upperBound=-1)
    array.shapeRange.sizeRanges.add(lowerBound=width, upperBound=width)


def _set(choice: Any, labels: Sequence[str]) -> None:
    choice.pickTop.perClass = True
    choice.stringClassLabels.vector.extend(labels)
    choice.iouThreshold, choice.confidenceThreshold = SAME_OBJECT, FAINTEST
    choice.confidenceInputFeatureName = CANDIDATE[CONFIDENCE]
    choice.coordinatesInputFeatureName = CANDIDATE[COORDINATES]
    choice.iouThresholdInputFeatureName, choice.confidenceThresholdInputFeatureName = OVERLAP, LEAST
    choice.confidenceOutputFeatureName, choice.coordinatesOutputFeatureName = CONFIDENCE, COORDINATES
