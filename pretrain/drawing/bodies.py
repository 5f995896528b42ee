"""Things with limbs, from tables of bones: animals, people, hands, tools, vehicles and shapeless lumps."""

import torch
from torch import Tensor

from pretrain.drawing.forms import DARK, LIGHT, Form, Place, flipped, nothing
from pretrain.drawing.sheet import Sheet, cover

Bone = tuple[float, float, float, float, float, float, int]  # x, y, x, y, radius, radius, part

ANIMALS: dict[str, tuple[Bone, ...]] = {
    "dog": (
        (0.4, 0.1, 0.5, 0.75, 0.1, 0.06, 1),
        (-0.4, 0.1, -0.35, 0.75, 0.12, 0.06, 1),
        (-0.5, 0.0, -0.85, -0.3, 0.07, 0.03, 1),
        (-0.4, 0.0, 0.35, 0.0, 0.25, 0.28, 0),
        (0.35, 0.15, 0.35, 0.78, 0.11, 0.07, 0),
        (-0.45, 0.15, -0.5, 0.78, 0.14, 0.07, 0),
        (0.4, -0.05, 0.6, -0.4, 0.18, 0.15, 0),
        (0.6, -0.45, 0.88, -0.35, 0.2, 0.09, 0),
        (0.52, -0.6, 0.42, -0.35, 0.08, 0.07, 2),
        (0.93, -0.36, 0.95, -0.36, 0.045, 0.045, DARK),
        (0.68, -0.5, 0.69, -0.5, 0.035, 0.035, DARK),
    ),
    "horse": (
        (0.35, 0.1, 0.45, 0.9, 0.09, 0.04, 1),
        (-0.45, 0.1, -0.35, 0.9, 0.1, 0.04, 1),
        (-0.6, -0.1, -0.8, 0.4, 0.07, 0.05, 2),
        (-0.4, 0.0, 0.3, 0.0, 0.26, 0.24, 0),
        (0.3, 0.1, 0.25, 0.92, 0.1, 0.045, 0),
        (-0.5, 0.1, -0.58, 0.92, 0.13, 0.045, 0),
        (0.35, -0.05, 0.62, -0.65, 0.19, 0.11, 0),
        (0.62, -0.7, 0.88, -0.4, 0.13, 0.07, 0),
        (0.3, -0.25, 0.52, -0.75, 0.06, 0.06, 2),
        (0.58, -0.82, 0.56, -0.95, 0.05, 0.02, 0),
        (0.7, -0.66, 0.71, -0.66, 0.03, 0.03, DARK),
    ),
    "bird": (
        (-0.3, 0.15, -0.95, 0.35, 0.14, 0.05, 1),
        (0.0, 0.4, -0.03, 0.85, 0.03, 0.025, 3),
        (0.15, 0.4, 0.17, 0.85, 0.03, 0.025, 3),
        (-0.2, 0.15, 0.25, 0.0, 0.26, 0.32, 0),
        (0.3, -0.1, 0.4, -0.4, 0.24, 0.2, 0),
        (-0.6, 0.2, 0.15, 0.0, 0.06, 0.2, 1),
        (0.55, -0.42, 0.85, -0.36, 0.09, 0.01, 3),
        (0.3, 0.25, 0.35, 0.05, 0.12, 0.14, 2),
        (0.46, -0.46, 0.47, -0.46, 0.045, 0.045, DARK),
    ),
    "fish": (
        (-0.6, 0.0, -0.92, -0.35, 0.06, 0.12, 1),
        (-0.6, 0.0, -0.92, 0.35, 0.06, 0.12, 1),
        (0.0, -0.2, -0.2, -0.5, 0.2, 0.04, 1),
        (0.0, 0.2, -0.15, 0.45, 0.14, 0.03, 1),
        (-0.6, 0.0, 0.25, 0.0, 0.07, 0.36, 0),
        (0.25, 0.0, 0.7, 0.02, 0.34, 0.14, 0),
        (0.15, 0.08, -0.05, 0.2, 0.05, 0.09, 2),
        (0.55, -0.1, 0.56, -0.1, 0.07, 0.07, LIGHT),
        (0.56, -0.1, 0.57, -0.1, 0.04, 0.04, DARK),
    ),
    "beetle": (
        (-0.1, -0.3, -0.7, -0.6, 0.04, 0.02, 3),
        (-0.1, 0.0, -0.8, 0.05, 0.04, 0.02, 3),
        (-0.1, 0.3, -0.7, 0.7, 0.04, 0.02, 3),
        (0.1, -0.3, 0.7, -0.6, 0.04, 0.02, 3),
        (0.1, 0.0, 0.8, 0.05, 0.04, 0.02, 3),
        (0.1, 0.3, 0.7, 0.7, 0.04, 0.02, 3),
        (-0.05, -0.7, -0.3, -1.0, 0.025, 0.02, 3),
        (0.05, -0.7, 0.3, -1.0, 0.025, 0.02, 3),
        (0.0, -0.05, 0.0, 0.45, 0.32, 0.26, 0),
        (0.0, -0.38, 0.0, -0.4, 0.24, 0.22, 1),
        (0.0, -0.65, 0.0, -0.66, 0.15, 0.15, 2),
        (-0.12, 0.05, -0.12, 0.06, 0.08, 0.08, 2),
        (0.12, 0.3, 0.12, 0.31, 0.07, 0.07, 2),
        (0.0, -0.2, 0.0, 0.7, 0.012, 0.012, DARK),
    ),
    "butterfly": (
        (-0.1, -0.05, -0.6, -0.45, 0.12, 0.32, 0),
        (0.1, -0.05, 0.6, -0.45, 0.12, 0.32, 0),
        (-0.1, 0.1, -0.45, 0.45, 0.1, 0.26, 1),
        (0.1, 0.1, 0.45, 0.45, 0.1, 0.26, 1),
        (-0.62, -0.46, -0.6, -0.46, 0.13, 0.13, 2),
        (0.62, -0.46, 0.6, -0.46, 0.13, 0.13, 2),
        (0.0, -0.35, 0.0, 0.45, 0.07, 0.04, 3),
        (0.0, -0.4, -0.2, -0.75, 0.015, 0.02, 3),
        (0.0, -0.4, 0.2, -0.75, 0.015, 0.02, 3),
    ),
}
PEOPLE: dict[str, tuple[Bone, ...]] = {
    "person": (
        (-0.2, -0.4, -0.38, 0.05, 0.09, 0.07, 1),
        (0.2, -0.4, 0.38, 0.05, 0.09, 0.07, 1),
        (-0.38, 0.05, -0.36, 0.3, 0.065, 0.05, 0),
        (0.38, 0.05, 0.36, 0.3, 0.065, 0.05, 0),
        (-0.1, 0.15, -0.16, 0.9, 0.13, 0.08, 2),
        (0.1, 0.15, 0.16, 0.9, 0.13, 0.08, 2),
        (-0.2, 0.93, -0.12, 0.93, 0.07, 0.06, DARK),
        (0.2, 0.93, 0.12, 0.93, 0.07, 0.06, DARK),
        (0.0, -0.35, 0.0, 0.12, 0.24, 0.18, 1),
        (0.0, -0.55, 0.0, -0.72, 0.08, 0.16, 0),
        (-0.08, -0.84, 0.08, -0.84, 0.11, 0.11, 3),
    ),
    "face": (
        (-0.55, -0.5, -0.4, -0.3, 0.2, 0.2, 1),
        (0.55, -0.5, 0.4, -0.3, 0.2, 0.2, 1),
        (0.0, -0.1, 0.0, 0.2, 0.66, 0.6, 0),
        (-0.15, 0.35, 0.15, 0.35, 0.25, 0.25, 2),
        (-0.06, 0.2, 0.06, 0.2, 0.09, 0.09, DARK),
        (-0.3, -0.12, -0.3, -0.11, 0.13, 0.13, LIGHT),
        (0.3, -0.12, 0.3, -0.11, 0.13, 0.13, LIGHT),
        (-0.28, -0.12, -0.28, -0.11, 0.08, 0.08, DARK),
        (0.28, -0.12, 0.28, -0.11, 0.08, 0.08, DARK),
        (-0.15, 0.5, 0.15, 0.5, 0.03, 0.03, DARK),
    ),
}
TOOLS: dict[str, tuple[Bone, ...]] = {
    "hammer": (
        (0.0, -0.6, 0.0, 0.9, 0.07, 0.1, 1),
        (-0.3, -0.65, 0.25, -0.65, 0.13, 0.13, 0),
        (-0.4, -0.65, -0.42, -0.65, 0.17, 0.17, 0),
        (0.25, -0.65, 0.55, -0.5, 0.1, 0.03, 0),
    ),
    "spanner": (
        (0.0, -0.5, 0.0, 0.6, 0.08, 0.08, 0),
        (-0.05, -0.55, -0.2, -0.9, 0.12, 0.07, 0),
        (0.05, -0.55, 0.2, -0.9, 0.12, 0.07, 0),
        (0.0, 0.7, 0.0, 0.72, 0.22, 0.22, 0),
        (0.0, 0.71, 0.0, 0.72, 0.11, 0.11, DARK),
    ),
    "spoon": (
        (0.0, -0.2, 0.0, 0.9, 0.04, 0.08, 0),
        (0.0, -0.6, 0.0, -0.45, 0.26, 0.2, 0),
        (0.0, -0.6, 0.0, -0.48, 0.19, 0.15, 1),
    ),
    "brush": (
        (0.0, 0.0, 0.0, 0.95, 0.06, 0.09, 1),
        (0.0, -0.15, 0.0, 0.0, 0.12, 0.08, 0),
        (0.0, -0.85, 0.0, -0.25, 0.05, 0.14, 2),
    ),
    "key": (
        (0.0, -0.3, 0.0, 0.9, 0.06, 0.06, 0),
        (0.0, -0.6, 0.0, -0.58, 0.3, 0.3, 0),
        (0.0, -0.6, 0.0, -0.58, 0.16, 0.16, DARK),
        (0.0, 0.85, 0.2, 0.85, 0.05, 0.05, 0),
        (0.0, 0.65, 0.16, 0.65, 0.05, 0.05, 0),
    ),
    "lamp": (
        (0.0, 0.0, 0.0, 0.8, 0.05, 0.05, 0),
        (-0.35, 0.9, 0.35, 0.9, 0.08, 0.08, 0),
        (-0.2, -0.6, 0.2, -0.6, 0.2, 0.2, 1),
        (-0.3, -0.2, 0.3, -0.2, 0.22, 0.22, 1),
    ),
    "mushroom": (
        (0.0, 0.0, 0.0, 0.75, 0.14, 0.2, 1),
        (-0.4, -0.05, 0.4, -0.05, 0.2, 0.2, 0),
        (-0.15, -0.3, 0.15, -0.3, 0.38, 0.38, 0),
        (-0.25, -0.35, -0.25, -0.34, 0.08, 0.08, LIGHT),
        (0.1, -0.5, 0.1, -0.49, 0.07, 0.07, LIGHT),
        (0.3, -0.2, 0.3, -0.19, 0.06, 0.06, LIGHT),
    ),
    "car": (
        (-0.35, -0.15, 0.25, -0.15, 0.26, 0.26, 2),
        (-0.7, 0.12, 0.7, 0.15, 0.2, 0.18, 0),
        (-0.5, -0.02, 0.5, 0.0, 0.16, 0.16, 0),
        (-0.45, 0.32, -0.44, 0.32, 0.19, 0.19, DARK),
        (0.45, 0.32, 0.46, 0.32, 0.19, 0.19, DARK),
        (-0.45, 0.32, -0.44, 0.32, 0.1, 0.1, 1),
        (0.45, 0.32, 0.46, 0.32, 0.1, 0.1, 1),
        (0.82, 0.1, 0.83, 0.1, 0.05, 0.05, LIGHT),
    ),
    "aeroplane": (
        (-0.1, 0.0, -0.35, -0.8, 0.14, 0.06, 1),
        (-0.1, 0.0, -0.35, 0.8, 0.14, 0.06, 1),
        (-0.75, 0.0, -0.9, -0.3, 0.08, 0.04, 1),
        (-0.75, 0.0, -0.9, 0.3, 0.08, 0.04, 1),
        (-0.85, 0.0, 0.75, 0.0, 0.08, 0.13, 0),
        (0.72, 0.0, 0.78, 0.0, 0.07, 0.07, 2),
    ),
    "glasses": (
        (-0.4, 0.0, -0.4, 0.01, 0.34, 0.34, 0),
        (0.4, 0.0, 0.4, 0.01, 0.34, 0.34, 0),
        (-0.12, -0.08, 0.12, -0.08, 0.05, 0.05, 0),
        (-0.7, -0.1, -1.0, -0.2, 0.05, 0.04, 0),
        (0.7, -0.1, 1.0, -0.2, 0.05, 0.04, 0),
        (-0.4, 0.0, -0.4, 0.01, 0.27, 0.27, 1),
        (0.4, 0.0, 0.4, 0.01, 0.27, 0.27, 1),
    ),
}
FINGERS = ((-0.34, -0.1, -0.28), (-0.12, -0.2, -0.08), (0.1, -0.2, 0.08), (0.3, -0.08, 0.25))  # x, y, lean


def animal(sheet: Sheet, place: Place) -> Form:
    """A beast, bird, fish or insect, its bones and girths a little off."""
    return _living(sheet, place, ANIMALS)


def person(sheet: Sheet, place: Place) -> Form:
    """A standing person, or a face, which may be a bear's."""
    return _living(sheet, place, PEOPLE)


def tool(sheet: Sheet, place: Place) -> Form:
    """Things people make, flatter and more regular than animals."""
    bones = _drawn(sheet, TOOLS)
    made = limbs(flipped(sheet, place), bones, sheet.choice((0.01, 0.03)))
    return Form(made.alpha, made.part, made.height.clamp(max=0.2), made.skin)


def lump(sheet: Sheet, place: Place) -> Form:
    """Three to six capsules of random girth joined into one body: stones, roots, dough, toys."""
    ends = sheet.uniform(-0.6, 0.6, 6, 4)
    girth = sheet.uniform(0.08, 0.4, 6, 2) * (sheet.uniform(0, 1, 6, 1) < sheet.number(0.4, 1))
    part = sheet.choice((0.0, 0.0, 1.0, 2.0), 6, 1)
    return limbs(place, torch.cat([ends, girth, part], -1), sheet.choice((0.02, 0.15, 0.3)))


def hand(sheet: Sheet, place: Place) -> Form:
    """A palm with one to five fingers stretched and the others folded, sleeved now and then."""
    stretched = sheet.uniform(0, 1, 5) < sheet.uniform(0.2, 1, 1)
    length = torch.where(stretched, sheet.uniform(0.8, 1.1, 5), sheet.uniform(0.15, 0.3, 5)) * 0.34
    spread, girth = sheet.uniform(0.3, 1.6, 1), sheet.uniform(0.075, 0.11, 1)
    rows = [(-0.15, 0.05, 0.12, 0.35, 0.3, 0.25, 0.0), (0.0, 0.5, 0.0, 1.1, 0.2, 0.24, 0.0)]
    bones = [torch.tensor(row, device=sheet.device).expand(sheet.count, -1) for row in rows]
    sleeve = torch.tensor((0.0, 0.85, 0.0, 1.3, 0.3, 0.32, 1.0), device=sheet.device)
    bones.append(sleeve * torch.where(sheet.chance(0.5)[..., 0], 1.0, 0.001))
    roots = [(x, y, lean * spread[:, 0]) for x, y, lean in FINGERS] + [(0.36, 0.2, 0.5 + 0.4 * spread[:, 0])]
    for finger, (x, y, lean) in enumerate(roots):
        reach, bend = length[:, finger], lean + sheet.uniform(-0.25, 0.25)
        knee = x + reach * lean.sin(), y - reach * lean.cos()
        tip = knee[0] + reach * bend.sin(), knee[1] - reach * bend.cos()
        root = torch.full_like(reach, x), torch.full_like(reach, y)
        thick, zero = girth[:, 0], torch.zeros_like(reach)
        bones.append(torch.stack([*root, *knee, thick * 1.1, thick, zero], -1))
        bones.append(torch.stack([*knee, *tip, thick, thick * 0.8, zero], -1))
    return limbs(flipped(sheet, place), torch.stack(bones, 1), sheet.choice((0.02, 0.05)))


def limbs(place: Place, bones: Tensor, blend: Tensor) -> Form:
    """Join tapered capsules (n, k, 7) into one body; `blend` (n, 1, 1) is how far a joint is filled."""
    made = nothing(place)
    edge, part, square = torch.full_like(place.x, 9.0), made.part, torch.zeros_like(place.x)
    for bone in bones.unbind(1):
        kind = bone[:, 6, None, None]
        gap, lift = _capsule(place, *bone[:, :6, None, None].unbind(1))
        near = (edge - gap).abs_().neg_().add_(blend).clamp_(min=0)
        edge = torch.minimum(edge, gap).sub_(near.square_().div_(4 * blend))
        part = torch.where(lift > square * (kind < DARK), kind.long(), part)
        square = torch.maximum(square, lift)
    body = (-0.6 * edge - edge * edge).clamp_(min=0)
    return Form(cover(edge, place.pixel), part, torch.maximum(square, body).sqrt_(), made.skin)


def _capsule(place: Place, *bone: Tensor) -> tuple[Tensor, Tensor]:
    """Signed distance to a tapered capsule, and the square of its height, negative outside."""
    x0, y0, x1, y1, r0, r1 = bone
    ax, ay = x1 - x0, y1 - y0
    scale = 1 / (ax * ax + ay * ay + 1e-6)
    along = (place.x * (ax * scale)).addcmul_(place.y, ay * scale).sub_((x0 * ax + y0 * ay) * scale).clamp_(0, 1)
    dx, dy = (place.x - x0).addcmul_(along, -ax), (place.y - y0).addcmul_(along, -ay)
    square = dx.mul_(dx).addcmul_(dy, dy)
    radius = along.mul_(r1 - r0).add_(r0).add_(-9 * (r0 <= 0))
    return square.sqrt().sub_(radius), radius.abs().mul_(radius).sub_(square)


def _living(sheet: Sheet, place: Place, table: dict[str, tuple[Bone, ...]]) -> Form:
    bones = _drawn(sheet, table)
    bones[..., :4] += 0.045 * sheet.normal(bones.shape[1], 4)
    return limbs(flipped(sheet, place), bones, sheet.choice((0.03, 0.08, 0.12)))


def _drawn(sheet: Sheet, table: dict[str, tuple[Bone, ...]]) -> Tensor:
    """Pick a skeleton for each picture (n, k, 7), with random girth; missing bones have no radius."""
    longest = max(map(len, table.values()))
    padded = torch.zeros(len(table), longest, 7)
    for index, rows in enumerate(table.values()):
        padded[index, : len(rows)] = torch.tensor(rows)
    bones = padded.to(sheet.device)[sheet.choice(range(len(table)), 1).flatten()]
    bones[..., 4:6] *= sheet.uniform(0.8, 1.25, 1, 1) * sheet.uniform(0.9, 1.1, longest, 1)
    return bones
