"""Sessions of ONNX Runtime, all opened in one way."""

from pathlib import Path
from typing import Any

import onnxruntime

RUNTIME: Any = onnxruntime  # it carries no types


def open_session(model: Path | bytes, *, threads: int) -> Any:
    """Open a model's file, or the bytes of one, to compute with so many threads, which do not spin while they wait."""
    options = RUNTIME.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return RUNTIME.InferenceSession(model, options, providers=["CPUExecutionProvider"])
