"""Which operations of a program may be computed in half precision."""

from collections.abc import Callable
from typing import Any


def may_be_halved() -> Callable[[Any], bool]:
    """Give a test of operations, for one conversion: those that lead to a convolution, and convolutions, pass.

    What follows the last convolution stays in single precision. It is a sliver of the work, and half precision would
    ruin it: squares of feature maps overflow, their variances are differences of large numbers that are nearly equal,
    boxes are sums of places and offsets, and positions in a row of boxes are whole numbers beyond 2048.
    """
    known: dict[str, bool] = {}

    def passes(operation: Any) -> bool:
        if operation.name not in known:
            known.update(_leading(operation.enclosing_block))
        return known.get(operation.name, False)

    return passes


def _leading(block: Any) -> dict[str, bool]:
    """For each operation of a block, from the last one to the first, whether a convolution needs it."""
    known: dict[str, bool] = {}
    for operation in reversed(list(block.operations)):
        users = (user for output in operation.outputs for user in output.child_ops)
        known[operation.name] = operation.op_type == "conv" or any(known.get(user.name, False) for user in users)
    return known
