"""Region proposals: where on an image an object may be, before anything was trained."""

from foveal.blobs import Blobs
from foveal.db.tables import Image
from foveal.engine.proposals import Proposal, Proposer
from foveal.errors import ServiceError, Unavailable
from foveal.services import pictures


def of_image(blobs: Blobs, proposer: Proposer, image: Image) -> list[Proposal]:
    """Return boxes around what stands out in an image, the likeliest first; `Unavailable` if it cannot be read."""
    try:
        pixels = pictures.pixels(blobs, image.digest, rendered=image.rendered, size_px=proposer.size_px)
    except ServiceError as error:
        raise Unavailable(f"Image {image.id} cannot be looked at: {error}", "ErrorRegionProposal") from error
    return proposer.propose(pixels)
