"""ONNX models in other clothes: for older runtimes, with labels, in half precision, in 8 bits."""
