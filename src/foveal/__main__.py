"""Run the command line with `python -m foveal`."""

from foveal.cli import main

main()
