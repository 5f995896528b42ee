"""Backbones from a model hub: loaded by transformers, turned into our ONNX form, checked, put in their place.

Only this file needs torch and transformers, and only `foveal backbones pull` imports it. The embedding is the normed
class token followed by the mean of the normed patch tokens, registers left out: what DINOv2's own linear probes read.
"""

import io
import json
import shutil
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import numpy as np
import onnx
import onnxruntime
import torch
from huggingface_hub import ModelCard, snapshot_download
from huggingface_hub.errors import StrictDataclassError
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors import SafetensorError
from transformers import Dinov2WithRegistersModel
from transformers.utils import logging as transformers_logging

from foveal.engine.backbones import Backbone
from foveal.errors import Invalid, Unavailable

MODEL_TYPE = "dinov2_with_registers"
CONFIG, WEIGHTS, PROCESSOR, CARD = "config.json", "model.safetensors", "preprocessor_config.json", "README.md"
RECORD = "backbone.json"
LIBRARIES = ("onnx", "torch", "transformers")
OPSET = 17
# ImageNet's, for a folder whose preprocessor does not say.
MEAN, STD, RESCALE = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1 / 255
# Weights of at least this many numbers are kept in half precision; the runtime widens them when a session starts.
LARGE = 10_000
# How far ONNX Runtime may be from torch, as a share of the largest number of the embeddings.
SINGLE_TOLERANCE, HALF_TOLERANCE = 1e-3, 1e-2
CHECKED_IMAGES = 3

RUNTIME: Any = onnxruntime  # it carries no types
EXPORT: Any = torch.onnx.export
LOAD: Any = Dinov2WithRegistersModel.from_pretrained

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Source:
    """A folder as transformers saves one, where it came from, and the commit (empty: not known)."""

    folder: Path
    origin: str
    revision: str = ""


def fetch(row: Backbone, revision: str) -> Source:
    """Download the files of a row's model into the hub's own cache, where a download that broke off goes on.

    Raises:
        Unavailable: The hub did not give them.
    """
    wanted = [CONFIG, WEIGHTS, PROCESSOR, CARD]
    try:
        folder = Path(snapshot_download(row.source, revision=revision, allow_patterns=wanted))
    except (httpx2.HTTPError, OSError, ValueError) as error:
        reason = _first_line(error.__cause__ or error).rstrip(".")
        raise Unavailable(
            f"{row.source} could not be fetched: {reason}. "
            "Where there is no internet, copy its files here and use --from FOLDER."
        ) from error
    return Source(folder, row.source, folder.name)


def install(row: Backbone, source: Source, *, now: datetime) -> Backbone:
    """Convert the model in the source's folder and put it where `backbones.find` looks, in place of an older one.

    Raises:
        Invalid: The folder holds another kind of model, is damaged, under another licence, or converts badly.
        Unavailable: The folder of backbones cannot be written.
    """
    _check_licence(row, source.folder)
    graph = converted(row, source.folder)
    record = {
        "name": row.name,
        "version": row.version,
        "source": source.origin,
        "revision": source.revision,
        "license": row.license,
        "size_px": row.size_px,
        "dimension": row.dimension,
        "sha256": sha256(graph).hexdigest(),
        "weights_sha256": sha256((source.folder / WEIGHTS).read_bytes()).hexdigest(),
        "pulled_at": now.isoformat(),
        "versions": {name: version(name) for name in LIBRARIES},
    }
    try:
        _put(row, graph, json.dumps(record, indent=2) + "\n")
    except OSError as error:
        raise Unavailable(f"{row.path.parent} cannot be written: {error}.") from error
    return row


def converted(row: Backbone, folder: Path) -> bytes:
    """Turn a saved model into an ONNX file that keeps the promises of its row.

    Raises:
        Invalid: The folder holds something else, or ONNX Runtime does not answer as torch does.
    """
    network = _Network(_loaded(row, folder), _scaling(folder)).eval()
    images = np.random.default_rng(0).uniform(0, 255, (CHECKED_IMAGES, 3, row.size_px, row.size_px)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(images)).numpy()
        network.fix_size(row.size_px)
    single = _exported(network, images[:2], row.dimension)
    half = _halved(single)
    for graph, tolerance in ((single, SINGLE_TOLERANCE), (half, HALF_TOLERANCE)):
        _check_parity(graph, images, expected, tolerance)
    return half


class _Network(torch.nn.Module):
    """`image` (n, 3, s, s), RGB 0..255 -> `embedding` (n, 2 x hidden size)."""

    def __init__(self, model: Dinov2WithRegistersModel, scaling: tuple[torch.Tensor, torch.Tensor]) -> None:
        super().__init__()
        self.model = model
        self.mean, self.std = scaling

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        tokens = self.model(pixel_values=(image - self.mean) / self.std).last_hidden_state
        patches = tokens[:, 1 + self.model.config.num_register_tokens :]
        return torch.cat([tokens[:, 0], patches.mean(1)], 1)

    def fix_size(self, size_px: int) -> None:
        """Fit the position embeddings to one size of image for good, so that no graph has to resize them."""
        embeddings: Any = self.model.embeddings
        tokens = torch.empty(1, 1 + (size_px // embeddings.patch_size) ** 2, self.model.config.hidden_size)
        positions = torch.nn.Parameter(embeddings.interpolate_pos_encoding(tokens, size_px, size_px))
        embeddings.position_embeddings = positions

        def fitted(*_: object) -> torch.nn.Parameter:
            return positions

        embeddings.interpolate_pos_encoding = fitted


def _loaded(row: Backbone, folder: Path) -> Dinov2WithRegistersModel:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    kind = _json(folder, CONFIG).get("model_type")
    if kind != MODEL_TYPE:
        raise Invalid(f"{folder} holds a model of type {kind!r}; {row.name} is made from {MODEL_TYPE!r}.")
    if not (folder / WEIGHTS).is_file():
        raise Invalid(f"{folder} is not a whole model: there is no {WEIGHTS}.")
    try:
        model, report = LOAD(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            attn_implementation="eager",  # the plain one: matrix products and a softmax, which every converter takes
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError, StrictDataclassError) as error:
        raise Invalid(f"{folder} cannot be read as a model: {_first_line(error)}") from error
    _check_config(row, folder, model.config)
    if missing := sorted(report["missing_keys"]):
        raise Invalid(f"{folder / WEIGHTS} is not whole: {len(missing)} weights are missing, such as {missing[0]}.")
    return model


def _check_config(row: Backbone, folder: Path, config: Any) -> None:
    for key, wanted in (("hidden_size", row.dimension // 2), ("patch_size", 14), ("num_channels", 3)):
        found = getattr(config, key)
        if found != wanted:
            raise Invalid(f"{folder / CONFIG} has {key} {found}; {row.name} ({row.source}) has {wanted}.")


def _check_licence(row: Backbone, folder: Path) -> None:
    """Refuse a model whose card states another licence than its row; a folder without a card states none."""
    if not (folder / CARD).is_file():
        return
    try:
        stated = ModelCard.load(folder / CARD).data.get("license")
    except (OSError, ValueError) as error:
        raise Invalid(f"{folder / CARD} cannot be read: {_first_line(error)}") from error
    if stated is not None and str(stated).lower() != row.license.lower():
        raise Invalid(f"{folder / CARD} states the licence {stated}; {row.name} is offered under {row.license} alone.")


def _scaling(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation (1, 3, 1, 1) of pixels 0..255, as the model's preprocessor has them."""
    values = _json(folder, PROCESSOR) if (folder / PROCESSOR).is_file() else {}
    rescale = float(values.get("rescale_factor", RESCALE))
    mean, std = (
        torch.tensor(values.get(key, usual), dtype=torch.float32)
        for key, usual in (("image_mean", MEAN), ("image_std", STD))
    )
    return mean.view(1, 3, 1, 1) / rescale, std.view(1, 3, 1, 1) / rescale


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        values = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"{folder} is not a saved model: {name} cannot be read ({_first_line(error)}).") from error
    if not isinstance(values, dict):
        raise Invalid(f"{folder} is not a saved model: {name} is not a JSON object.")
    return values


def _exported(network: _Network, images: Floats, dimension: int) -> bytes:
    """The network as ONNX in single precision, for any number of images.

    The exporter is the older one: it needs no further package, and a network of one straight path no other.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its end, and that checks of shapes are traced as constants
        EXPORT(
            network,
            (torch.from_numpy(images),),
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["embedding"],
            dynamic_axes={"image": {0: "batch"}, "embedding": {0: "batch"}},
        )
    model = onnx.load_from_string(file.getvalue())
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = dimension
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _halved(graph: bytes) -> bytes:
    """The same model with its large weights in half precision, each widened by a Cast that the runtime folds away."""
    model = onnx.load_from_string(graph)
    casts: list[onnx.NodeProto] = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < LARGE:
            continue
        name, half = weight.name, f"{weight.name}_half"
        with np.errstate(over="ignore"):  # what is too large becomes infinite and fails the check of parity
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], name=name, to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _check_parity(graph: bytes, images: Floats, expected: Floats, tolerance: float) -> None:
    """Compare ONNX Runtime's embeddings (n, d) with torch's; numbers that are not finite never agree."""
    session = RUNTIME.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found = session.run(["embedding"], {"image": images})[0]
    scale, furthest = np.abs(expected).max(), np.abs(found - expected).max()
    if not (scale > 0 and furthest <= tolerance * scale):
        raise Invalid(
            f"The converted model does not answer as the original does: it is off by up to {furthest:.2g} "
            f"where the largest number is {scale:.2g}. Nothing was installed."
        )


def _put(row: Backbone, graph: bytes, record: str) -> None:
    """Write file and record aside, then move both into place at once: a pull that was killed leaves nothing there."""
    place = row.path.parent
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = f".{row.name}-"
    _remove(place.parent.glob(f"{aside}*"))
    with TemporaryDirectory(prefix=aside, dir=place.parent) as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        (fresh / row.file).write_bytes(graph)
        (fresh / RECORD).write_text(record, encoding="utf-8")
        if place.exists():
            place.rename(Path(scratch) / "old")
        fresh.rename(place)


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
