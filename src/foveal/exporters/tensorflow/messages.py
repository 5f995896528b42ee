"""TensorFlow's messages, as far as graphs need them, given to protobuf as a table.

Numbers and names are those of TensorFlow's public .proto files (graph, node_def, attr_value, tensor, tensor_shape,
types, versions, saved_model, meta_graph); fields that we neither write nor read are left out and kept as unknown.
"""

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

PACKAGE = "tensorflow"
KINDS = {"int32": 5, "int64": 3, "float": 2, "bool": 8, "string": 9, "bytes": 12}
MESSAGE, ENUM = 11, 14
ONE, MANY = 1, 3
DATA_TYPES = {
    "DT_INVALID": 0,
    "DT_FLOAT": 1,
    "DT_INT32": 3,
    "DT_STRING": 7,
    "DT_INT64": 9,
    "DT_BOOL": 10,
    "DT_HALF": 19,
}
NUMPY = {1: np.dtype(np.float32), 3: np.dtype(np.int32), 9: np.dtype(np.int64), 10: np.dtype(np.bool_)}
OF_NUMPY = {dtype: number for number, dtype in NUMPY.items()}

# Message, then a row for each field: number, name, kind; "*" means many of them, a pair in braces a map.
MESSAGES: dict[str, str] = {
    "TensorShapeDim": "1 size int64, 2 name string",
    "TensorShapeProto": "2 dim *TensorShapeDim, 3 unknown_rank bool",
    "TensorProto": "1 dtype DataType, 2 tensor_shape TensorShapeProto, 4 tensor_content bytes",
    "AttrList": "2 s *bytes, 3 i *int64, 4 f *float, 5 b *bool, 6 type *DataType, 7 shape *TensorShapeProto",
    "AttrValue": (
        "1 list AttrList, 2 s bytes, 3 i int64, 4 f float, 5 b bool, 6 type DataType, "
        "7 shape TensorShapeProto, 8 tensor TensorProto"
    ),
    "NodeDef": "1 name string, 2 op string, 3 input *string, 4 device string, 5 attr {AttrValue}",
    "VersionDef": "1 producer int32, 2 min_consumer int32",
    "FunctionDefLibrary": "",
    "GraphDef": "1 node *NodeDef, 2 library FunctionDefLibrary, 4 versions VersionDef",
    "TensorInfo": "1 name string, 2 dtype DataType, 3 tensor_shape TensorShapeProto",
    "SignatureDef": "1 inputs {TensorInfo}, 2 outputs {TensorInfo}, 3 method_name string",
    "MetaInfoDef": "4 tags *string, 5 tensorflow_version string",
    "MetaGraphDef": "1 meta_info_def MetaInfoDef, 2 graph_def GraphDef, 5 signature_def {SignatureDef}",
    "SavedModel": "1 saved_model_schema_version int64, 2 meta_graphs *MetaGraphDef",
}
CHOICES = {"AttrValue": "value"}  # messages of which one field is set at a time


@cache
def classes() -> Any:
    """The messages' classes by name."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # slow to load

    file: Any = descriptor_pb2.FileDescriptorProto(name="foveal/tensorflow.proto", package=PACKAGE, syntax="proto3")
    enum = file.enum_type.add(name="DataType")
    for name, number in DATA_TYPES.items():
        enum.value.add(name=name, number=number)
    for name, text in MESSAGES.items():
        _add_message(file.message_type.add(name=name), text)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return SimpleNamespace(
        **{name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}
    )


def _add_message(message: Any, text: str) -> None:
    if message.name in CHOICES:
        message.oneof_decl.add(name=CHOICES[message.name])
    for row in filter(None, text.split(", ")):
        number, name, kind = row.split(" ")
        field = message.field.add(name=name, number=int(number), label=MANY if kind[0] in "*{" else ONE)
        if message.name in CHOICES:
            field.oneof_index = 0
        _set_kind(message, field, kind.strip("*{}"), is_map=kind[0] == "{")


def _set_kind(message: Any, field: Any, kind: str, *, is_map: bool) -> None:
    if is_map:
        entry = message.nested_type.add(name=f"{field.name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=ONE, type=KINDS["string"])
        entry.field.add(name="value", number=2, label=ONE, type=MESSAGE, type_name=f".{PACKAGE}.{kind}")
        field.type, field.type_name = MESSAGE, f".{PACKAGE}.{message.name}.{entry.name}"
    elif kind in KINDS:
        field.type = KINDS[kind]
    else:
        field.type = ENUM if kind == "DataType" else MESSAGE
        field.type_name = f".{PACKAGE}.{kind}"
