"""A trained model in other platforms' formats: one file each, one row each in the catalogue."""
