"""The training API, one file per noun."""
