"""Programs that call the routes of a detector: what they are told while this version trains none."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.azure.scene import refusal
from tests.azure.sdk import Published
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

PICTURE = picture(1)
ADDRESS = "http://127.0.0.1:9/never-fetched.png"
Call = Callable[[Any, str, str], Any]
CALLS: dict[str, Call] = {
    "image": lambda predictor, project, name: predictor.detect_image(project, name, PICTURE),
    "image-no-store": lambda predictor, project, name: predictor.detect_image_with_no_store(project, name, PICTURE),
    "url": lambda predictor, project, name: predictor.detect_image_url(project, name, ADDRESS),
    "url-no-store": lambda predictor, project, name: predictor.detect_image_url_with_no_store(project, name, ADDRESS),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
class TestDetect:
    def test_a_classifier_names_the_right_routes(self, predictor: Any, classifier: Published, call: Call) -> None:
        status, code, message = refusal(lambda: call(predictor, classifier.project, classifier.name))
        assert (status, code) == (400, "BadRequestNotSupported")
        assert "call the classify routes, not detect" in message

    def test_a_name_that_nothing_is_published_under_is_not_found(
        self, predictor: Any, classifier: Published, call: Call
    ) -> None:
        status, code, message = refusal(lambda: call(predictor, classifier.project, "detector"))
        assert (status, code) == (404, "NotFoundIteration")
        assert "'detector'" in message
