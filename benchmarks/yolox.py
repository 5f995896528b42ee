"""YOLOX-Nano, read from its ONNX file as a torch module and trained on: the yardstick of detectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from foveal.engine import finetune
from foveal.engine.detection import assign, tune, views
from foveal.engine.detection.finder import Found, Places
from foveal.engine.detection.graph import FAINTEST, MOST, SAME_OBJECT
from foveal.engine.detection.tune import Course
from foveal.engine.detection.views import Scene
from foveal.geometry import Detections, overlaps

SIZE_PX = 416
RATE, NEW_RATE = 3e-4, 3e-3
LEVELS = range(3)


class Yolox(nn.Module):
    """BGR 0..255 (n, 3, 416, 416) -> what is `Found`, with fresh layers for so many tags beside the old objectness."""

    def __init__(self, path: Path, tags: int) -> None:
        super().__init__()
        graph = onnx.load(path).graph
        self._nodes = list(graph.node)
        self._constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                self._constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        trained = {
            name: nn.Parameter(torch.tensor(values))
            for name, values in self._constants.items()
            if values.dtype == np.float32 and values.ndim in {1, 4} and "resize" not in name.lower()
        }
        convolved = {name for node in graph.node if node.op_type == "Conv" for name in node.input[1:]}
        self.weights = nn.ParameterDict({_key(name): values for name, values in trained.items() if name in convolved})
        last = [self._find(f"head.cls_preds.{level}.weight") for level in LEVELS]
        self._seen = [node.input[0] for node in last]
        self._sides = [self._find(f"head.reg_preds.{level}.weight").output[0] for level in LEVELS]
        self._things = [self._find(f"head.obj_preds.{level}.weight").output[0] for level in LEVELS]
        widths = [self.weights[_key(node.input[1])].shape[1] for node in last]
        self.logits = nn.ModuleList(nn.Conv2d(width, tags, 1) for width in widths)
        for each in self.logits.parameters():
            nn.init.zeros_(each)

    def forward(self, images: Tensor) -> Found:
        wanted = {*self._seen, *self._sides, *self._things}
        known: dict[str, Tensor] = {"images": images}
        for node in self._nodes:
            if node.op_type != "Constant" and not wanted <= known.keys():
                known[node.output[0]] = self._computed(node, known)
        logits = [
            (layer(known[seen]) + known[thing]).flatten(2)
            for layer, seen, thing in zip(self.logits, self._seen, self._things, strict=True)
        ]
        sides = torch.cat([known[each].flatten(2) for each in self._sides], 2).transpose(1, 2).float()
        places = Places.of(SIZE_PX)
        strides = places.strides[:, None]
        middle = places.middles + (sides[..., :2] - 0.5) * strides
        half = sides[..., 2:].clamp(max=6).exp() * strides / 2
        boxes = torch.cat([middle - half, middle + half], -1)
        return Found(boxes, torch.cat(logits, 2).transpose(1, 2).float(), places)

    def _find(self, weight: str) -> onnx.NodeProto:
        return next(node for node in self._nodes if node.op_type == "Conv" and node.input[1] == weight)

    def _computed(self, node: onnx.NodeProto, known: dict[str, Tensor]) -> Tensor:
        values: dict[str, Any] = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        inputs = [known[name] for name in node.input if name in known]
        if node.op_type == "Conv":
            weight, bias = (self.weights[_key(name)] for name in node.input[1:])
            return functional.conv2d(inputs[0], weight, bias, values["strides"], values["pads"][:2], 1, values["group"])
        if node.op_type == "Slice":
            begin, end, axis, step = (int(self._constants[name].item()) for name in node.input[1:5])
            at = torch.arange(inputs[0].shape[axis])[begin : min(end, inputs[0].shape[axis]) : step]
            return inputs[0].index_select(axis, at)
        return OPERATORS[node.op_type](inputs, values)


OPERATORS = {
    "Add": lambda inputs, _: inputs[0] + inputs[1],
    "Concat": lambda inputs, values: torch.cat(inputs, values["axis"]),
    "MaxPool": lambda inputs, values: functional.max_pool2d(
        inputs[0], values["kernel_shape"], values["strides"], values["pads"][:2]
    ),
    "Mul": lambda inputs, _: inputs[0] * inputs[1],
    "Resize": lambda inputs, _: functional.interpolate(inputs[0], scale_factor=2.0, mode="nearest"),
    "Sigmoid": lambda inputs, _: inputs[0].sigmoid(),
}


def tuned(path: Path, scenes: Sequence[Scene], tags: int, course: Course) -> Yolox:
    """Train the whole network on for as many steps as the course has."""
    network = Yolox(path, tags)
    groups = [
        {"params": list(network.weights.values()), "lr": RATE},
        {"params": list(network.logits.parameters()), "lr": NEW_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=tune.WEIGHT_DECAY)
    steps = course.schedule.steps
    rates = [group["lr"] for group in optimizer.param_groups]
    for step in range(steps):
        rng = np.random.default_rng((course.seed, step))
        rows = rng.integers(len(scenes), size=course.schedule.batch).tolist()
        shown = [views.view(scenes, at, SIZE_PX, course.policy, rng) for at in rows]
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * finetune.factor(step, steps, tune.WARM_UP)
        loss = assign.loss(network(tune.images(shown).flip(1)), tune.objects(shown))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), tune.LARGEST_GRADIENT)
        optimizer.step()
    return network


@torch.no_grad()
def answers(network: Yolox, pixels: NDArray[np.uint8]) -> list[Detections]:
    """What it finds in RGB images (n, s, s, 3), one by one; boxes relative to the image."""
    found: list[Detections] = []
    for image in pixels:
        said = network(torch.from_numpy(image.transpose(2, 0, 1)[None].copy()).float().flip(1))
        found.append(_chosen((said.boxes[0] / SIZE_PX).clamp(0, 1).numpy(), said.logits[0].sigmoid().numpy()))
    return found


def _chosen(boxes: NDArray[np.float32], probabilities: NDArray[np.float32]) -> Detections:
    """Non-maximum suppression, tag by tag."""
    kept: list[tuple[int, int]] = []
    for tag in range(probabilities.shape[1]):
        order = np.argsort(-probabilities[:, tag])
        order = order[probabilities[order, tag] >= FAINTEST][: 5 * MOST]
        while len(order):
            kept.append((order[0], tag))
            order = order[overlaps(boxes[order[:1]], boxes[order])[0] <= SAME_OBJECT]
    rows, tags = (np.array(each, int) for each in zip(*kept, strict=True)) if kept else (np.empty(0, int),) * 2
    return Detections(boxes[rows], tags, probabilities[rows, tags])


def _key(name: str) -> str:
    return name.replace(".", "_").replace(":", "_")
