"""Roles of keys: what each may do, and what each operation needs."""

from enum import StrEnum

from foveal.errors import Forbidden
from foveal.services.resources import CONTRIBUTOR, DEPLOYMENT, LABELER, READER, TRAINER


class Permission(StrEnum):
    """What an operation needs."""

    READ = "read"
    LABEL = "label"
    TEST = "test"
    TRAIN = "train"
    PUBLISH = "publish"
    PREDICT = "predict"
    MANAGE = "manage"


PERMISSIONS: dict[str, frozenset[Permission]] = {
    READER: frozenset({Permission.READ}),
    LABELER: frozenset({Permission.READ, Permission.LABEL, Permission.TEST}),
    TRAINER: frozenset(Permission) - {Permission.MANAGE},
    DEPLOYMENT: frozenset({Permission.READ, Permission.TEST, Permission.PUBLISH, Permission.PREDICT}),
    CONTRIBUTOR: frozenset(Permission),
}

NEEDED: dict[str, Permission] = {
    "GetServer": Permission.READ,
    "GetResources": Permission.READ,
    "GetServerKeys": Permission.MANAGE,
    "GetDomains": Permission.READ,
    "GetDomain": Permission.READ,
    "GetProjects": Permission.READ,
    "GetProject": Permission.READ,
    "GetTags": Permission.READ,
    "GetTag": Permission.READ,
    "GetImages": Permission.READ,
    "GetTaggedImages": Permission.READ,
    "GetUntaggedImages": Permission.READ,
    "GetImageCount": Permission.READ,
    "GetTaggedImageCount": Permission.READ,
    "GetUntaggedImageCount": Permission.READ,
    "GetImagesByIds": Permission.READ,
    "GetImageRegionProposals": Permission.READ,
    "QuerySuggestedImages": Permission.READ,
    "QuerySuggestedImageCount": Permission.READ,
    "QueryPredictions": Permission.READ,
    "GetArtifact": Permission.READ,
    "GetIterations": Permission.READ,
    "GetIteration": Permission.READ,
    "GetIterationProgress": Permission.READ,
    "GetIterationPerformance": Permission.READ,
    "GetImagesToLabel": Permission.READ,
    "GetAssistedTags": Permission.READ,
    "GetDuplicateImages": Permission.READ,
    "GetLabelErrors": Permission.READ,
    "GetLearningCurve": Permission.READ,
    "GetIterationEvaluation": Permission.READ,
    "GetIterationEvaluationCurve": Permission.READ,
    "GetEvaluationImages": Permission.READ,
    "GetTestSet": Permission.READ,
    "GetImagePerformances": Permission.READ,
    "GetImagePerformanceCount": Permission.READ,
    "GetExports": Permission.READ,
    "GetExportFormats": Permission.READ,
    "GetIterationExports": Permission.READ,
    "CreateTag": Permission.LABEL,
    "UpdateTag": Permission.LABEL,
    "DeleteTag": Permission.LABEL,
    "CreateImagesFromData": Permission.LABEL,
    "CreateImagesFromFiles": Permission.LABEL,
    "CreateImagesFromUrls": Permission.LABEL,
    "CreateImagesFromPredictions": Permission.LABEL,
    "UpdateImageMetadata": Permission.LABEL,
    "UpdateTestSet": Permission.LABEL,
    "DeleteImages": Permission.LABEL,
    "CreateImageTags": Permission.LABEL,
    "DeleteImageTags": Permission.LABEL,
    "CreateImageRegions": Permission.LABEL,
    "DeleteImageRegions": Permission.LABEL,
    "SuggestTagsAndRegions": Permission.LABEL,
    "DeletePrediction": Permission.LABEL,
    "QuickTestImage": Permission.TEST,
    "QuickTestImageUrl": Permission.TEST,
    "QuickTestImageWithUnknown": Permission.TEST,
    "UpdateProject": Permission.TRAIN,
    "TrainProject": Permission.TRAIN,
    "CancelIteration": Permission.TRAIN,
    "UpdateIteration": Permission.TRAIN,
    "DeleteIteration": Permission.TRAIN,
    "PublishIteration": Permission.PUBLISH,
    "UnpublishIteration": Permission.PUBLISH,
    "ExportIteration": Permission.PUBLISH,
    "StartIterationExport": Permission.PUBLISH,
    "DeleteIterationExport": Permission.PUBLISH,
    "ClassifyImage": Permission.PREDICT,
    "ClassifyImageWithNoStore": Permission.PREDICT,
    "ClassifyImageWithUnknown": Permission.PREDICT,
    "ClassifyImageUrl": Permission.PREDICT,
    "ClassifyImageUrlWithNoStore": Permission.PREDICT,
    "DetectImage": Permission.PREDICT,
    "DetectImageWithNoStore": Permission.PREDICT,
    "DetectImageUrl": Permission.PREDICT,
    "DetectImageUrlWithNoStore": Permission.PREDICT,
    "CreateProject": Permission.MANAGE,
    "DeleteProject": Permission.MANAGE,
    "ExportProject": Permission.MANAGE,
    "ImportProject": Permission.MANAGE,
}


def check(role: str, operation: str) -> None:
    """Return if the role may do the operation; raise `Forbidden` else."""
    needed = NEEDED[operation]
    if needed not in PERMISSIONS[role]:
        able = ", ".join(name for name, permissions in PERMISSIONS.items() if needed in permissions)
        raise Forbidden(
            f"A key of role {role} may not call {operation}: that takes a key of role {able}.",
            "ForbiddenUserInsufficientCapability",
        )
