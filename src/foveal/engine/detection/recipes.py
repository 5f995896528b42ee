"""In which ways detectors are made, and how long they are trained."""

import math
from dataclasses import replace

from foveal.engine import finetune
from foveal.engine.detection.bench import Way
from foveal.engine.detection.graph import STRIDES
from foveal.engine.detection.tune import Course, Schedule
from foveal.engine.detection.views import Policy
from foveal.engine.training import SEED

STEPS = 100  # with up to so many images:
FEW = 40
MOST_STEPS = 400
# Where the processor does not multiply bfloat16, a step of sixteen views takes seconds. A third of the views is shown
# there; the short way, which alone begins with nothing, makes up for it by learning faster.
FEWER_STEPS = 0.64  # of those elsewhere
FEWER_VIEWS = 8
FASTER = 3.0
WIDE = 96  # channels of a finder, whose usual width is 64
LARGER = 1.4  # side of the images

# How a domain's training varies photos; domains name them.
POLICIES = {
    "general": Policy(turned=0.25),
    # Logos are small, may be anywhere, and no mirror shows them; their colours tell them apart.
    "logo": Policy(tiles=(0.4, 0.4, 0.2), flip=False, colour=0.1),
    # Shelves are full of small things side by side: parts of one photo show enough of them, and larger.
    "shelves": Policy(tiles=(0.8, 0.2), smallest_area=0.12, flip=False, colour=0.1),
}


def quick(images: int, size_px: int, policy: str) -> Way:
    """A few minutes on two processor cores: longer for more images, but by the root of their number."""
    course = Course(size_px=size_px, policy=POLICIES[policy], schedule=_schedule(images), seed=SEED)
    return Way("quick", course)


def advanced(images: int, size_px: int, policy: str) -> list[Way]:
    """Quick's way first, then those that take longer, in the order of their chances."""
    first = quick(images, size_px, policy)
    course, steps = first.course, first.course.schedule.steps
    longer = replace(course, schedule=replace(course.schedule, steps=3 * steps))
    whole = replace(longer.schedule, trained_share=1.0)
    larger = STRIDES[-1] * round(LARGER * size_px / STRIDES[-1])
    return [
        first,
        Way("three times as long", longer),
        Way("whole network", replace(longer, schedule=whole)),
        Way("whole network, larger images", replace(longer, schedule=whole, size_px=larger)),
        Way("wider", longer, width=WIDE),
        _otherwise(longer),
    ]


def _schedule(images: int) -> Schedule:
    """As much as the processor can learn from so many images in minutes."""
    steps = min(MOST_STEPS, STEPS * max(1.0, images / FEW) ** 0.5)
    if finetune.multiplies_bfloat16():
        return Schedule(steps=round(steps))
    return Schedule(steps=math.ceil(FEWER_STEPS * steps), batch=FEWER_VIEWS, short_factor=FASTER)


def _otherwise(course: Course) -> Way:
    """With photos on their heads where they stood upright, and the other way round."""
    if course.policy.flip:
        return Way("nothing turned or mirrored", replace(course, policy=replace(course.policy, turned=0.0, flip=False)))
    return Way("turned and mirrored", replace(course, policy=replace(course.policy, turned=0.25, flip=True)))
