"""A model in the form behind TensorFlow's formats, with the input and the outputs that Azure's exports have."""

from dataclasses import replace

from foveal.exporters import client_graph, lowering
from foveal.exporters.client_graph import OUTPUTS, SCORED
from foveal.exporters.form import Form
from foveal.exporters.interface import DETECTED, GRID, PROBABILITIES, Interface
from foveal.exporters.order import Order

PLACEHOLDER = "Placeholder"
NAMES = {PROBABILITIES: "loss", GRID: "model_outputs"}


def seen_by_programs(order: Order) -> Interface:
    """What programs see; TensorFlow calls its input as it always did."""
    seen = order.interface
    return seen if seen.ending == DETECTED else replace(seen, input_name=PLACEHOLDER)


def form(order: Order, seen: Interface, *, padded: bool = False) -> Form:
    """The model in the form.

    With `padded` a detector always gives as many boxes as an answer may hold.

    Raises:
        Invalid: It has an operator that the form does not know.
    """
    if seen.ending == DETECTED:
        model = client_graph.adapted(order.bundle, seen, SCORED)
        return lowering.lower_detector(model, len(seen.labels), padded=padded)
    model = client_graph.adapted(order.bundle, seen)
    output = OUTPUTS[seen.ending][0]
    return lowering.lower(model, {output: NAMES[seen.ending]})
