"""Core ML: the ONNX graph as an ML program or a neural network, its files, and their evaluation in numpy."""
