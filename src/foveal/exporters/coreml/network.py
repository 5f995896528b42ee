"""What coremltools leaves undone in the specification of a neural network, Core ML's older form."""

from collections.abc import Sequence
from typing import Any

import numpy as np

HEAVY = ("convolution", "innerProduct", "batchedMatmul")
"""Layers with matrices of weights; what stands in others, such as the places of boxes, needs single precision."""


def halve_weights(network: Any) -> None:
    """Keep matrices of weights in half precision, which Core ML widens when it loads them.

    It refuses layers whose weights and biases differ in precision.
    """
    for layer in network.layers:
        kind = layer.WhichOneof("layer")
        if kind in HEAVY:
            params = getattr(layer, kind)
            _halve(params.weights)
            if params.hasBias:
                _halve(params.bias)


def _halve(weights: Any) -> None:
    halves = np.array(weights.floatValue, np.float32).astype("<f2")
    if len(halves):  # none where a layer multiplies two of its inputs
        weights.Clear()
        weights.float16Value = halves.tobytes()


def classify(spec: Any, labels: Sequence[str], label: str, probabilities: str) -> None:
    """Turn a network of one output, `probabilities`, into a classifier that also says the most probable label."""
    network = type(spec.neuralNetwork)()
    network.CopyFrom(spec.neuralNetwork)
    classifier = spec.neuralNetworkClassifier  # takes the network's place
    classifier.layers.extend(network.layers)
    classifier.preprocessing.extend(network.preprocessing)
    classifier.arrayInputShapeMapping = network.arrayInputShapeMapping
    classifier.imageInputShapeMapping = network.imageInputShapeMapping
    classifier.stringClassLabels.vector.extend(labels)
    classifier.labelProbabilityLayerName = probabilities
    description = spec.description
    del description.output[:]
    description.output.add(name=label).type.stringType.SetInParent()
    description.output.add(name=probabilities).type.dictionaryType.stringKeyType.SetInParent()
    description.predictedFeatureName, description.predictedProbabilitiesName = label, probabilities


def describe_outputs(spec: Any, sides: dict[str, tuple[int, ...]]) -> None:
    """Say the shapes of a network's arrays."""
    for output in spec.description.output:
        output.type.multiArrayType.shape.extend(sides[output.name])
