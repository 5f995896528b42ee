"""The files that zips carry beside the model: programs in several languages, a container, texts."""

from importlib import resources, util
from pathlib import Path
from types import ModuleType

FOLDER = Path(str(resources.files("foveal.exporters") / "templates"))
PYTHON = FOLDER / "python"


def text(name: str) -> str:
    """A template by its path, for `str.format`."""
    return (FOLDER / name).read_text(encoding="utf-8")


def module(path: Path) -> ModuleType:
    """Load a program of a zip, so that what is proven is what a user will run."""
    spec = util.spec_from_file_location(f"foveal_exported_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded
