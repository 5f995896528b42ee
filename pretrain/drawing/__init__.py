"""Procedural pictures in batches: chance, fields, colours, shapes, scenes and the camera that takes them."""
