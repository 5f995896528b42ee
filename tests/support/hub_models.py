"""Small models as transformers saves them, with the widths of the real ones; and a model hub on this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

REASON = "it needs the extra hub"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def save(folder: Path, seed: int = 0, *, kind: str = "Dinov2WithRegisters", **changes: Any) -> Path:
    """Save a random model of two thin layers, as wide as dinov2-s, with positions for 70 pixels."""
    torch, transformers = (pytest.importorskip(name, reason=REASON) for name in ("torch", "transformers"))
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    shape = {"hidden_size": 384, "num_attention_heads": 6, "num_hidden_layers": 2, "mlp_ratio": 1}
    config = getattr(transformers, f"{kind}Config")(
        **{**shape, "image_size": 70, "patch_size": 14, "initializer_range": 0.05, **changes}
    )
    getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
    return folder


def change_weights(folder: Path, name: str, value: float | None) -> None:
    """Set all numbers of a weight, or take the weight out."""
    torch, files = (pytest.importorskip(name, reason=REASON) for name in ("torch", "safetensors.torch"))
    path = folder / "model.safetensors"
    weights = files.load_file(path)
    if value is None:
        del weights[name]
    else:
        weights[name] = torch.full_like(weights[name], value)
    files.save_file(weights, path, metadata={"format": "pt"})


@contextmanager
def serving(folder: Path, repository: str) -> Iterator[str]:
    """Serve a folder as a repository of one commit, in the hub's own protocol; gives the address."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    tree = [
        {"type": "file", "path": name, "size": len(content), "oid": sha256(content).hexdigest()[:40]}
        for name, content in files.items()
    ]
    answers = {
        f"/api/models/{repository}/revision/main": {"_id": "1", "id": repository, "sha": COMMIT, "siblings": []},
        f"/api/models/{repository}": {"_id": "1", "id": repository, "sha": COMMIT, "siblings": []},
        f"/api/models/{repository}/tree/{COMMIT}": tree,
    }

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path = self.path.split("?")[0]
            name = path.removeprefix(f"/{repository}/resolve/{COMMIT}/")
            content = json.dumps(answers[path]).encode() if path in answers else files.get(name)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{sha256(content or b"").hexdigest()[:40]}"')
            self.end_headers()
            if body and content:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
