"""TensorFlow Lite: the file written from the form, quantised, and run."""
