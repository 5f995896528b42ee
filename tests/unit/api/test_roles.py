"""What each role may do."""

import pytest

from foveal import app
from foveal.api import openapi, own, prediction, roles
from foveal.errors import Forbidden
from foveal.services.resources import ROLES

ALLOWED = {
    "Reader": "GetProjects GetImages QueryPredictions QuerySuggestedImages GetImageRegionProposals GetArtifact",
    "Labeler": "CreateImagesFromFiles DeleteImages CreateTag CreateImageRegions UpdateImageMetadata "
    "SuggestTagsAndRegions QuickTestImage DeletePrediction GetIterations",
    "Trainer": "TrainProject UpdateProject DeleteIteration PublishIteration ExportIteration CreateTag ClassifyImage",
    "Deployment": "PublishIteration UnpublishIteration ExportIteration QuickTestImageUrl ClassifyImage GetProjects",
    "Contributor": " ".join(roles.NEEDED),
}
REFUSED = {
    "Reader": "CreateTag DeletePrediction QuickTestImage TrainProject PublishIteration ClassifyImage ExportProject",
    "Labeler": "TrainProject UpdateProject UpdateIteration PublishIteration ExportIteration ClassifyImage",
    "Trainer": "CreateProject DeleteProject ImportProject ExportProject",
    "Deployment": "CreateTag CreateImagesFromData TrainProject DeleteIteration UpdateProject DeleteProject",
}


def pairs(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(role, operation) for role, operations in table.items() for operation in operations.split()]


class TestNeeded:
    def test_each_operation_has_its_row_and_each_row_its_operation(self) -> None:
        routers = [*app.TRAINING_ROUTERS, prediction.router, own.router, own.published]
        assert set(roles.NEEDED) == {route.operation_id for route in openapi.operations(routers)}

    def test_each_role_has_its_permissions(self) -> None:
        assert set(roles.PERMISSIONS) == set(ROLES)


class TestCheck:
    @pytest.mark.parametrize(("role", "operation"), pairs(ALLOWED))
    def test_lets_pass_what_the_role_is_for(self, role: str, operation: str) -> None:
        roles.check(role, operation)

    @pytest.mark.parametrize(("role", "operation"), pairs(REFUSED))
    def test_refuses_the_rest_by_name(self, role: str, operation: str) -> None:
        with pytest.raises(Forbidden, match=f"role {role} may not call {operation}") as caught:
            roles.check(role, operation)
        assert caught.value.code == "ForbiddenUserInsufficientCapability"

    def test_tells_who_may(self) -> None:
        with pytest.raises(Forbidden, match="role Trainer, Deployment, Contributor"):
            roles.check("Reader", "ClassifyImage")
