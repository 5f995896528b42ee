"""What the service promises to every client: the quickstart ends well, whoever wrote the SDK and when."""

from dataclasses import dataclass
from math import isclose
from typing import Any

import pytest
from tests.azure.clients.programs import Client

TRAINED_ON = [f"{colour}-{n}.png" for colour in ("blue", "red") for n in range(6)]
UNSEEN = [f"{colour}-{n}.png" for colour in ("blue", "red") for n in range(6, 9)]
BY_ADDRESS = "blue-7.png"


@dataclass(frozen=True)
class Refusal:
    """What a program is told that does something wrong."""

    of: str
    http: int
    code: str
    words: str


REFUSALS = (
    Refusal("training key", 401, "Unauthorized", "Training-Key"),
    Refusal("prediction key", 401, "Unauthorized", "Prediction-Key"),
    Refusal("project", 404, "NotFoundProject", "does not exist"),
    Refusal("published", 400, "BadRequestIterationIsPublished", "unpublish it first"),
    Refusal("unpublished", 404, "NotFoundIteration", "nothing published as 'first'"),
    Refusal("deleted", 404, "NotFoundProject", "does not exist"),
)


class QuickstartPromises:
    """Tests of what a program saw; a subclass stands where the fixture `client` has its clients."""

    def test_the_copy_that_ran_is_the_one_meant(self, client: Client, seen: dict[str, Any]) -> None:
        assert (seen["version"], seen["copy"]) == (client.version, str(client.copy))

    def test_it_spoke_the_versions_of_its_day(self, client: Client, seen: dict[str, Any]) -> None:
        for path, base in zip(seen["asked"], client.bases, strict=True):
            assert path.startswith(f"/customvision/{base}/")

    def test_a_project_has_the_domain_and_type_asked_for(self, seen: dict[str, Any]) -> None:
        assert seen["domain"] == [True, "Multiclass"]

    def test_a_batch_is_told_in_the_order_sent(self, seen: dict[str, Any]) -> None:
        batch = seen["uploads"]["batch"]
        assert (batch["http"], batch["successful"], batch["names"]) == (200, True, TRAINED_ON)
        assert batch["statuses"] == ["OK"] * len(TRAINED_ON)

    def test_duplicates_are_told_with_the_image_there_is(self, client: Client, seen: dict[str, Any]) -> None:
        again = seen["uploads"]["again"]
        assert (again["http"], again["successful"]) == (207 if client.multi_status else 200, False)
        assert again["statuses"] == ["OKDuplicate", "OKDuplicate"]
        assert again["ids"] == seen["uploads"]["batch"]["ids"][:2]

    def test_a_file_is_taken_as_it_is(self, seen: dict[str, Any]) -> None:
        single = seen["uploads"]["single"]
        assert (single["http"], single["successful"], single["statuses"]) == (200, True, ["OK"])

    def test_each_picture_counts_once(self, seen: dict[str, Any]) -> None:
        assert seen["uploads"]["counts"] == {"red": 7, "blue": 6}

    def test_a_training_is_completed(self, seen: dict[str, Any]) -> None:
        assert seen["statuses"] == ["Training", "Completed"]

    def test_figures_are_told_for_all_and_for_each_tag(self, seen: dict[str, Any]) -> None:
        assert seen["figures"].keys() == {"all", "red", "blue"}
        for figures in seen["figures"].values():
            assert all(0.5 < figure <= 1 for figure in figures)

    def test_publishing_is_answered_with_yes(self, seen: dict[str, Any]) -> None:
        assert seen["published"] is True

    def test_unseen_pictures_get_the_right_tag(self, seen: dict[str, Any]) -> None:
        assert {name: ranked[0][0] for name, ranked in seen["files"].items()} == {
            name: name.split("-")[0] for name in UNSEEN
        }

    def test_probabilities_are_sorted_and_sum_to_one(self, seen: dict[str, Any]) -> None:
        for ranked in seen["files"].values():
            values = [probability for _, probability in ranked]
            assert values == sorted(values, reverse=True)
            assert isclose(sum(values), 1, abs_tol=1e-5)

    def test_a_picture_gets_the_same_answer_in_each_way_to_ask(self, seen: dict[str, Any]) -> None:
        ways = {"address", "no store", "address, no store", "quick test", "quick test of address"}
        assert seen["answers"] == dict.fromkeys(ways, seen["files"][BY_ADDRESS])

    @pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.of)
    def test_a_refusal_is_raised_with_code_and_message(
        self, client: Client, seen: dict[str, Any], refusal: Refusal
    ) -> None:
        told = seen["refusals"][refusal.of]
        assert (told["http"], told["raised"], told["code"]) == (refusal.http, client.raises, refusal.code)
        assert refusal.words in told["message"]

    def test_all_can_be_taken_down_again(self, seen: dict[str, Any]) -> None:
        assert seen["deleted"] == {"published": 204, "iteration": 204, "iterations left": 0, "project": 204}
