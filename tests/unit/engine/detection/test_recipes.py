"""What detectors begin with is in the package, and each domain has its way."""

import pytest

from foveal import domains
from foveal.domains import DOMAINS, OBJECT_DETECTION
from foveal.engine.detection import base, recipes, tune
from foveal.errors import NotFound

DETECTORS = [domain for domain in DOMAINS if domain.type == OBJECT_DETECTION]


@pytest.mark.parametrize("domain", DETECTORS, ids=lambda each: each.name)
def test_each_domain_brings_what_finds_things(domain: domains.Domain) -> None:
    begun = base.find(domain.backbone)
    assert begun.backbone.name == domain.backbone
    assert tune.for_tags(begun.finder, 3).logits.out_channels == 3


def test_a_backbone_without_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base.backbones, "find", lambda _: None)
    with pytest.raises(NotFound, match="not made on the backbone pulled"):
        base.find("pulled")


@pytest.mark.parametrize(
    ("bfloat16", "steps", "batch"), [(True, [100, 100, 200, 400], 16), (False, [64, 64, 128, 256], 8)]
)
def test_more_images_take_longer_but_not_in_proportion(
    monkeypatch: pytest.MonkeyPatch, *, bfloat16: bool, steps: list[int], batch: int
) -> None:
    monkeypatch.setattr(recipes.finetune, "multiplies_bfloat16", lambda: bfloat16)
    ways = [recipes.quick(images, 320, "general") for images in (20, 40, 160, 10_000)]
    assert [way.course.schedule.steps for way in ways] == steps
    assert {way.course.schedule.batch for way in ways} == {batch}


@pytest.mark.parametrize("domain", DETECTORS, ids=lambda each: each.name)
def test_advanced_begins_with_quick_and_adds_what_takes_longer(domain: domains.Domain) -> None:
    recipe = 40, domain.detected_px, domain.policy
    first, *others = recipes.advanced(*recipe)
    assert first == recipes.quick(*recipe)
    assert all(way.work > first.work for way in others)
    assert len({way.name for way in others}) == len(others)
    assert all(way.course.size_px % 32 == 0 for way in others)


def test_domains_differ() -> None:
    by_name = {domain.name: recipes.quick(40, domain.detected_px, domain.policy).course for domain in DETECTORS}
    assert not by_name["Logo"].policy.flip
    assert not by_name["Products on Shelves"].policy.flip
    assert by_name["Products on Shelves"].size_px > by_name["General [A1]"].size_px > by_name["General"].size_px
