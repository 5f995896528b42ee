"""A classifier that answers with names, as Azure's ONNX exports: the most probable label, a probability for each."""

from collections.abc import Sequence

import onnx
from onnx import TensorProto, helper

from foveal.exporters.onnx_files.opsets import ML_DOMAIN, ML_VERSION

LABEL, PROBABILITIES = "classLabel", "loss"


def with_names(model: onnx.ModelProto, labels: Sequence[str]) -> None:
    """Put `classLabel` (n, 1) and `loss`, a list of maps from label to probability, behind the probabilities.

    Programs for Windows ask for these two by name; Microsoft's sample in C# takes the first output for numbers.
    """
    names, numbers = list(labels), model.graph.output[0].name
    model.graph.node.extend(
        [
            helper.make_node("ArgMax", [numbers], ["best"], name="best", axis=1, keepdims=1),
            helper.make_node(
                "LabelEncoder",
                ["best"],
                [LABEL],
                name=LABEL,
                domain=ML_DOMAIN,
                keys_int64s=list(range(len(names))),
                values_strings=names,
            ),
            helper.make_node(
                "ZipMap", [numbers], [PROBABILITIES], name=PROBABILITIES, domain=ML_DOMAIN, classlabels_strings=names
            ),
        ]
    )
    floats = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    maps = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.STRING, floats))
    model.graph.output.extend(
        [
            helper.make_tensor_value_info(LABEL, TensorProto.STRING, ["batch", 1]),
            helper.make_value_info(PROBABILITIES, maps),
        ]
    )
    model.opset_import.append(helper.make_opsetid(ML_DOMAIN, ML_VERSION))
