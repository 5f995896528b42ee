"""What a program sees of an exported model: its input, its outputs and their names, as Azure's exports have them.

A classifier gives probabilities. A detector of the compact domain gives a grid that the program decodes, every other
one finished boxes. See docs/reference/exports.md.
"""

from dataclasses import dataclass, replace
from typing import Final

from foveal import domains
from foveal.bundle import Bundle
from foveal.domains import CLASSIFICATION, MULTICLASS, MULTILABEL, OBJECT_DETECTION, Domain
from foveal.errors import Invalid

RGB, BGR = "Rgb8", "Bgr8"
TO_255, TO_1 = "NominalRange_0_255", "Normalized_0_1"
PROBABILITIES: Final = "probabilities"
GRID: Final = "grid"
DETECTED: Final = "detected"
RAW: Final = "raw"

GRID_SIDE = 13
ANCHORS = ((0.573, 0.677), (1.87, 2.06), (3.34, 5.47), (7.88, 3.53), (9.77, 9.17))
"""Widths and heights, in cells of the grid."""
MOST = 200
"""Boxes in an answer."""
METHODS = {
    MULTICLASS: "ClassificationMultiClass",
    MULTILABEL: "ClassificationMultiLabel",
    OBJECT_DETECTION: "Detection",
}


@dataclass(frozen=True, slots=True)
class Interface:
    """How to feed a model and how to read what it says.

    `ending` is probabilities (n, k); grid, a YOLO grid (1, 5 * (5 + k), 13, 13); detected, finished boxes; or raw, all
    boxes (1, a, 4) with their probabilities (1, a, 1 + k), the first one for "nothing".
    """

    task: str
    labels: tuple[str, ...]
    size_px: int
    ending: str
    input_name: str
    pixel_format: str
    value_range: str = TO_255
    logistic_offsets: bool = False
    """Of a grid: whether its reader takes the logistic function of a middle's distance from its cell."""

    @property
    def finds_boxes(self) -> bool:
        return self.task == OBJECT_DETECTION

    @property
    def method(self) -> str:
        """Azure's word for how the outputs are read."""
        return "Yolo" if self.ending == GRID else METHODS[self.task]


def of(bundle: Bundle) -> Interface:
    """What Azure's exports of the bundle's domain look like; platforms that differ say so with `replace`."""
    manifest = bundle.manifest
    compact = is_compact(domain_of(bundle))
    finds_boxes = manifest.classification_type == OBJECT_DETECTION
    return Interface(
        task=manifest.classification_type,
        labels=tuple(bundle.labels),
        size_px=manifest.preprocessing.size,
        ending=(GRID if compact else DETECTED) if finds_boxes else PROBABILITIES,
        input_name="image_tensor" if finds_boxes and not compact else "data",
        pixel_format=BGR if compact else RGB,
    )


def domain_of(bundle: Bundle) -> Domain:
    manifest = bundle.manifest
    kind = OBJECT_DETECTION if manifest.classification_type == OBJECT_DETECTION else CLASSIFICATION
    return domains.named(manifest.domain, kind)


def is_compact(domain: Domain) -> bool:
    """Whether a domain's exports follow the conventions of the compact ones; those of [S1] do not."""
    return domain.name.endswith("(compact)")


def plain(interface: Interface) -> Interface:
    """The same in red, green and blue from 0 to 255, whatever the domain."""
    return replace(interface, pixel_format=RGB, value_range=TO_255)


def check_labels(labels: tuple[str, ...]) -> None:
    """Refuse labels that cannot be told apart by name; platforms that answer with names need that."""
    if len(set(labels)) != len(labels):
        raise Invalid("Two tags of the model have the same name: rename one and train again.")
