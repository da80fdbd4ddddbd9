"""What callers of an interface notice, case by case."""

import pytest

from assay_server.domain.facts import Signature, TensorSpec
from assay_server.domain.signatures import Compatibility, compatibility

SAME, FITS, BREAKS = Compatibility.IDENTICAL, Compatibility.COMPATIBLE, Compatibility.INCOMPATIBLE

X = TensorSpec("x", "float32", (-1, 64))
X_OPTIONAL = TensorSpec("x", "float32", (-1, 64), is_optional=True)
X_FIXED = TensorSpec("x", "float32", (8, 64))
X_OTHER_LENGTH = TensorSpec("x", "float32", (-1, 65))
X_WIDER = TensorSpec("x", "float32", (-1, -1))
X_DOUBLE = TensorSpec("x", "float64", (-1, 64))
X_FLAT = TensorSpec("x", "float32", (64,))
Y = TensorSpec("y", "float32", (-1,))
Y_OPTIONAL = TensorSpec("y", "float32", (-1,), is_optional=True)

Tensors = tuple[TensorSpec, ...]

INPUTS: list[tuple[str, Tensors, Tensors, Compatibility]] = [
    ("nothing", (X,), (X,), SAME),
    ("order", (X, Y), (Y, X), SAME),
    ("removed", (X, Y), (X,), BREAKS),
    ("optional removed", (X, Y_OPTIONAL), (X,), BREAKS),
    ("required added", (X,), (X, Y), BREAKS),
    ("optional added", (X,), (X, Y_OPTIONAL), FITS),
    ("renamed", (X,), (Y,), BREAKS),
    ("dtype", (X,), (X_DOUBLE,), BREAKS),
    ("rank", (X,), (X_FLAT,), BREAKS),
    ("narrower", (X,), (X_FIXED,), BREAKS),
    ("other length", (X,), (X_OTHER_LENGTH,), BREAKS),
    ("wider", (X,), (X_WIDER,), FITS),
    ("wider batch", (X_FIXED,), (X,), FITS),
    ("became required", (X_OPTIONAL,), (X,), BREAKS),
    ("became optional", (X,), (X_OPTIONAL,), FITS),
]

OUTPUTS: list[tuple[str, Tensors, Tensors, Compatibility]] = [
    ("nothing", (X,), (X,), SAME),
    ("order", (X, Y), (Y, X), SAME),
    ("removed", (X, Y), (X,), BREAKS),
    ("added", (X,), (X, Y), FITS),
    ("optional added", (X,), (X, Y_OPTIONAL), FITS),
    ("dtype", (X,), (X_DOUBLE,), BREAKS),
    ("rank", (X,), (X_FLAT,), BREAKS),
    ("wider", (X,), (X_WIDER,), BREAKS),
    ("other length", (X,), (X_OTHER_LENGTH,), BREAKS),
    ("narrower", (X,), (X_FIXED,), FITS),
    ("became optional", (X,), (X_OPTIONAL,), BREAKS),
    ("became required", (X_OPTIONAL,), (X,), FITS),
]

PARAMETERS: list[tuple[str, Tensors, Tensors, Compatibility]] = [
    ("nothing", (Y,), (Y,), SAME),
    ("added", (), (Y,), FITS),
    ("removed", (Y,), (), BREAKS),
    ("dtype", (X,), (X_DOUBLE,), BREAKS),
    ("wider", (X,), (X_WIDER,), FITS),
    ("narrower", (X,), (X_FIXED,), BREAKS),
    ("marked optional", (Y,), (Y_OPTIONAL,), SAME),
]


@pytest.mark.parametrize(("case", "old", "new", "expected"), INPUTS)
def test_inputs_may_only_ask_less(
    case: str, old: Tensors, new: Tensors, expected: Compatibility
) -> None:
    comparison = compatibility(Signature(old, ()), Signature(new, ()))

    assert comparison.compatibility is expected


@pytest.mark.parametrize(("case", "old", "new", "expected"), OUTPUTS)
def test_outputs_may_only_promise_more(
    case: str, old: Tensors, new: Tensors, expected: Compatibility
) -> None:
    comparison = compatibility(Signature((), old), Signature((), new))

    assert comparison.compatibility is expected


@pytest.mark.parametrize(("case", "old", "new", "expected"), PARAMETERS)
def test_parameters_follow_the_rule_of_optional_inputs(
    case: str, old: Tensors, new: Tensors, expected: Compatibility
) -> None:
    comparison = compatibility(Signature((), (), old), Signature((), (), new))

    assert comparison.compatibility is expected


def test_every_difference_is_named_breaking_ones_first() -> None:
    old = Signature((X, Y), (X,))
    new = Signature((X_WIDER, TensorSpec("z", "str")), (X_DOUBLE, Y))

    comparison = compatibility(old, new)

    assert [str(change) for change in comparison.changes] == [
        "signature.inputs[y] was removed",
        "signature.inputs[z] is new and required",
        "signature.outputs[x] changed its dtype from float32 to float64",
        "signature.inputs[x] changed its shape from (any, 64) to (any, any)",
        "signature.outputs[y] is new",
    ]
    assert len(comparison.breaking) == 3
