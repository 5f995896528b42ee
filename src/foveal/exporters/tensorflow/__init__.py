"""TensorFlow's graphs without TensorFlow: its messages, nodes written from the form, and what evaluates them."""
