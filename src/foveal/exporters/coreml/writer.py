"""A model in Core ML's formats, with the inputs and outputs that Azure's exports have."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import onnx

from foveal.errors import Invalid
from foveal.exporters.client_graph import rename, shapes
from foveal.exporters.coreml import network, package
from foveal.exporters.coreml.detector import pipeline, with_candidates
from foveal.exporters.coreml.library import quiet
from foveal.exporters.coreml.precision import may_be_halved
from foveal.exporters.coreml.program import program
from foveal.exporters.interface import BGR, DETECTED, PROBABILITIES, RGB, Interface, check_labels

Kind = Literal["neuralnetwork", "mlprogram"]
Precision = Literal["float32", "float16"]
HALF = "float16"
LABEL, LOSS = "classLabel", "loss"
DESCRIPTION = "Made with Foveal"
UNSTEADY = ("common::reduce_transposes",)
"""Improvements by coremltools that differ from run to run, since they walk through sets; there is little to improve."""
COLOURS = {RGB: "RGB", BGR: "BGR"}


def write(model: onnx.ModelProto, interface: Interface, path: Path, *, kind: Kind, precision: Precision) -> None:
    """Write a model as a neural network to a .mlmodel, or as an ML program to a .mlpackage.

    Args:
        model: of the interface's ending, or of SCORED where that is DETECTED.
        interface: what the file says of its input and its labels.
        path: the file or folder to make.
        kind: the older form, or the newer one that has types throughout.
        precision: of a network's weights, or of a program's weights and arithmetic up to the last convolution.

    Raises:
        Invalid: Core ML lacks an operation of the model, or two labels are the same.
    """
    check_labels(interface.labels)
    finds_boxes = interface.ending == DETECTED
    spec, weights = KINDS[kind](with_candidates(model) if finds_boxes else model, interface, precision)
    spec.description.metadata.Clear()
    spec.description.metadata.shortDescription = DESCRIPTION
    package.save(path, pipeline(spec, interface.labels) if finds_boxes else spec, weights)


def _ml_program(model: onnx.ModelProto, interface: Interface, precision: Precision) -> tuple[Any, bytes]:
    """The specification, and the weights that belong beside it."""
    settings: dict[str, Any] = {}
    with quiet() as coremltools:
        single, halved = coremltools.precision.FLOAT32, coremltools.transform.FP16ComputePrecision
        settings["compute_precision"] = halved(op_selector=may_be_halved()) if precision == HALF else single
        if interface.ending == PROBABILITIES:
            labels, output = list(interface.labels), model.graph.output[0].name
            settings["classifier_config"] = coremltools.ClassifierConfig(labels, LABEL, output)
        made = _converted(model, interface, "mlprogram", "iOS15", settings)
        spec = made.get_spec()
        coremltools.utils.rename_feature(spec, f"{LABEL}_probs", LOSS)  # no setting of the converter's gives a name
    file = Path(made.weights_dir, package.WEIGHTS_FILE)
    weights = file.read_bytes() if file.exists() else b""
    shutil.rmtree(made.package_path, ignore_errors=True)  # else it stays until this process ends
    return spec, weights


def _neural_network(model: onnx.ModelProto, interface: Interface, precision: Precision) -> tuple[Any, bytes]:
    named = onnx.ModelProto()
    named.CopyFrom(model)
    if interface.ending == PROBABILITIES:
        rename(named, {named.graph.output[0].name: LOSS})
    spec = _converted(named, interface, "neuralnetwork", "iOS13", {}).get_spec()
    if precision == HALF:
        network.halve_weights(spec.neuralNetwork)
    if interface.ending == PROBABILITIES:
        network.classify(spec, interface.labels, LABEL, LOSS)
    else:
        network.describe_outputs(spec, shapes(named))
    return spec, b""


KINDS: dict[Kind, Callable[[onnx.ModelProto, Interface, Precision], tuple[Any, bytes]]] = {
    "neuralnetwork": _neural_network,
    "mlprogram": _ml_program,
}


def _converted(model: onnx.ModelProto, interface: Interface, kind: Kind, oldest: str, settings: dict[str, Any]) -> Any:
    """Have coremltools convert a model, for versions of iOS from the oldest one that knows the kind."""
    with quiet() as coremltools:
        size, colours = interface.size_px, getattr(coremltools.colorlayout, COLOURS[interface.pixel_format])
        image = coremltools.ImageType(name=interface.input_name, shape=(1, 3, size, size), color_layout=colours)
        passes = coremltools.PassPipeline.DEFAULT
        passes.remove_passes(UNSTEADY)
        try:
            return coremltools.convert(
                program(model),
                convert_to=kind,
                inputs=[image],
                minimum_deployment_target=getattr(coremltools.target, oldest),
                pass_pipeline=passes,
                skip_model_load=True,
                **settings,
            )
        except (NotImplementedError, ValueError) as error:
            raise Invalid(f"The model cannot be written for Core ML: {error}") from error
