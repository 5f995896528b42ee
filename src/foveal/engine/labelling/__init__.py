"""Help for whoever labels: arrays in, values out; it knows no database and no names of tags."""
