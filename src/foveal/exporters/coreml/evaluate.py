"""A Core ML file run on any machine, as a program that has it on a Mac would see its outputs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Invalid
from foveal.exporters import kernels
from foveal.exporters.coreml import mil_evaluate, nn_evaluate, package

Outputs = dict[str, NDArray[Any]]
Evaluate = Callable[[NDArray[np.float32]], Outputs]
BGR = 30  # colour space of an image input


def open_model(path: Path) -> Evaluate:
    """Read a .mlmodel or .mlpackage, and give what evaluates it on one image (1, 3, s, s), RGB from 0 to 255.

    The outputs are by name: those of a classifier only its probabilities (1, k), in the order of its labels, those of a
    pipeline only what its last model gives.

    Raises:
        Invalid: The file cannot be read, or is of a kind that nothing here writes.
    """
    spec, weights = package.load(path)
    evaluate = _reader(spec)(spec, weights)
    shown = spec.description.input[0]
    image = shown.type.imageType

    def checked(values: NDArray[np.float32]) -> Outputs:
        if values.shape != (1, 3, image.height, image.width):
            raise Invalid(f"The model takes an image of {image.width}x{image.height}, not {values.shape}.")
        try:
            with np.errstate(all="ignore"):  # there too, what is too large is infinite and nothing is said
                return evaluate(values[:, ::-1] if image.colorSpace == BGR else values)
        except (LookupError, ValueError) as error:
            raise Invalid(f"{path.name} is damaged: its parts do not fit together ({error}).") from error

    return checked


def _reader(spec: Any) -> Callable[[Any, Path], Evaluate]:
    kind = spec.WhichOneof("Type")
    if kind not in READERS:
        raise Invalid(f"A Core ML model of the type {kind} cannot be evaluated.")
    return READERS[kind]


def _program(spec: Any, weights: Path) -> Evaluate:
    program, source = mil_evaluate.load(spec, weights), spec.description.input[0].name
    return lambda image: mil_evaluate.run(program, {source: image})


def _network(spec: Any, _: Path) -> Evaluate:
    source, names = spec.description.input[0].name, [each.name for each in spec.description.output]

    def evaluate(image: NDArray[np.float32]) -> Outputs:
        values = nn_evaluate.run(spec.neuralNetwork, {source: image})
        return {name: values[name] for name in names}

    return evaluate


def _classifier(spec: Any, _: Path) -> Evaluate:
    source, name = spec.description.input[0].name, spec.description.predictedProbabilitiesName
    network = spec.neuralNetworkClassifier

    def evaluate(image: NDArray[np.float32]) -> Outputs:
        values = nn_evaluate.run(network, {source: image})[network.labelProbabilityLayerName].reshape(1, -1)
        if len(network.stringClassLabels.vector) != values.size:
            raise Invalid(f"The model has {len(network.stringClassLabels.vector)} labels and {values.size} outputs.")
        return {name: values}

    return evaluate


def _pipeline(spec: Any, weights: Path) -> Evaluate:
    network, choice = spec.pipeline.models
    find = _reader(network)(network, weights)
    if choice.WhichOneof("Type") != "nonMaximumSuppression":
        raise Invalid("A Core ML pipeline without a choice among boxes at its end cannot be evaluated.")
    return lambda image: _chosen(choice.nonMaximumSuppression, find(image))


def _chosen(choice: Any, candidates: Outputs) -> Outputs:
    """Choose among boxes as Core ML documents it (`pickTop`), with the thresholds in the file.

    A box stands for its most probable tag and, with `perClass`, gives way only to boxes of that tag. The row of a
    chosen box is left whole, with the probabilities of its other tags if there are any. The best comes first.
    """
    confidence = candidates[choice.confidenceInputFeatureName]
    coordinates = candidates[choice.coordinatesInputFeatureName]
    middles, sides = coordinates[:, :2], coordinates[:, 2:]
    corners: kernels.Array = np.concatenate([middles - sides / 2, middles + sides / 2], 1, dtype=np.float32)
    best = confidence.max(1)
    tags = confidence.argmax(1) if choice.pickTop.perClass else np.zeros(len(best), np.intp)
    kept: list[int] = []
    for tag in np.unique(tags):
        scores = np.where(tags == tag, best, -1)
        kept += kernels.non_maximum_suppression(
            corners, scores, most=len(best), overlap=choice.iouThreshold, faintest=choice.confidenceThreshold
        ).tolist()
    kept.sort(key=lambda at: -best[at])
    return {
        choice.confidenceOutputFeatureName: confidence[kept],
        choice.coordinatesOutputFeatureName: coordinates[kept],
    }


READERS: dict[str, Callable[[Any, Path], Evaluate]] = {
    "mlProgram": _program,
    "neuralNetwork": _network,
    "neuralNetworkClassifier": _classifier,
    "pipeline": _pipeline,
}
