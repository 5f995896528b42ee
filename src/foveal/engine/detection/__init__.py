"""Finding objects: boxes with tags, from a backbone's feature maps."""
