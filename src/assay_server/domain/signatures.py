"""Whether callers of the old interface can call the new one unchanged.

Rules:
- Inputs may ask less of callers, never more: no removal, nothing new that is required, no
  other dtype, no narrower shape.
- Outputs may promise more, never less: no removal, no other dtype, no wider shape.
- Parameters follow the rule of optional inputs, whether or not they are marked optional.
- Another number of axes or another dtype is always incompatible. Order carries no meaning.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assay_server.domain.facts import Signature, TensorSpec


class Compatibility(StrEnum):
    """What callers notice."""

    IDENTICAL = "IDENTICAL"
    COMPATIBLE = "COMPATIBLE"
    INCOMPATIBLE = "INCOMPATIBLE"


@dataclass(frozen=True, slots=True)
class SignatureChange:
    """One difference; ``problem`` completes the sentence "<field> …"."""

    field: str
    problem: str
    is_breaking: bool

    def __str__(self) -> str:
        return f"{self.field} {self.problem}"


@dataclass(frozen=True, slots=True)
class SignatureComparison:
    """All differences, breaking ones first."""

    changes: tuple[SignatureChange, ...]

    @property
    def compatibility(self) -> Compatibility:
        """The answer of all differences together."""
        if not self.changes:
            return Compatibility.IDENTICAL
        if any(change.is_breaking for change in self.changes):
            return Compatibility.INCOMPATIBLE
        return Compatibility.COMPATIBLE

    @property
    def breaking(self) -> tuple[SignatureChange, ...]:
        """The differences that break callers."""
        return tuple(change for change in self.changes if change.is_breaking)


def compatibility(old: Signature, new: Signature) -> SignatureComparison:
    """Compare two interfaces from the point of view of callers of ``old``."""
    changes = [
        *_input_changes(old.inputs, new.inputs),
        *_output_changes(old.outputs, new.outputs),
        *_parameter_changes(old.parameters, new.parameters),
    ]
    return SignatureComparison(tuple(sorted(changes, key=lambda change: not change.is_breaking)))


def _input_changes(
    old: Sequence[TensorSpec], new: Sequence[TensorSpec]
) -> Iterator[SignatureChange]:
    for field, before, after in _paired("signature.inputs", old, new):
        if after is None:
            yield SignatureChange(field, "was removed", is_breaking=True)
        elif before is None:
            need = "optional" if after.is_optional else "required"
            yield SignatureChange(field, f"is new and {need}", is_breaking=not after.is_optional)
        else:
            yield from _common_changes(field, before, after, may_widen=True)
            if before.is_optional != after.is_optional:
                yield _optionality_change(field, after, is_breaking=before.is_optional)


def _output_changes(
    old: Sequence[TensorSpec], new: Sequence[TensorSpec]
) -> Iterator[SignatureChange]:
    for field, before, after in _paired("signature.outputs", old, new):
        if after is None:
            yield SignatureChange(field, "was removed", is_breaking=True)
        elif before is None:
            yield SignatureChange(field, "is new", is_breaking=False)
        else:
            yield from _common_changes(field, before, after, may_widen=False)
            if before.is_optional != after.is_optional:
                yield _optionality_change(field, after, is_breaking=after.is_optional)


def _parameter_changes(
    old: Sequence[TensorSpec], new: Sequence[TensorSpec]
) -> Iterator[SignatureChange]:
    for field, before, after in _paired("signature.parameters", old, new):
        if after is None:
            yield SignatureChange(field, "was removed", is_breaking=True)
        elif before is None:
            yield SignatureChange(field, "is new", is_breaking=False)
        else:
            yield from _common_changes(field, before, after, may_widen=True)


def _paired(
    field: str, old: Sequence[TensorSpec], new: Sequence[TensorSpec]
) -> Iterator[tuple[str, TensorSpec | None, TensorSpec | None]]:
    """Tensors of the same name side by side, in order of name."""
    before = {tensor.name: tensor for tensor in old}
    after = {tensor.name: tensor for tensor in new}
    for name in sorted(before.keys() | after.keys()):
        yield f"{field}[{name}]", before.get(name), after.get(name)


def _common_changes(
    field: str, old: TensorSpec, new: TensorSpec, *, may_widen: bool
) -> Iterator[SignatureChange]:
    if old.dtype != new.dtype:
        problem = f"changed its dtype from {old.dtype} to {new.dtype}"
        yield SignatureChange(field, problem, is_breaking=True)
    if old.shape != new.shape:
        problem = f"changed its shape from {_shape(old)} to {_shape(new)}"
        breaks = not (_covers(new, old) if may_widen else _covers(old, new))
        yield SignatureChange(field, problem, is_breaking=breaks)


def _optionality_change(field: str, new: TensorSpec, *, is_breaking: bool) -> SignatureChange:
    became = "optional" if new.is_optional else "required"
    return SignatureChange(field, f"became {became}", is_breaking=is_breaking)


def _covers(wide: TensorSpec, narrow: TensorSpec) -> bool:
    """Whether every shape that ``narrow`` allows is allowed by ``wide``."""
    return len(wide.shape) == len(narrow.shape) and all(
        any_length in (-1, length)
        for any_length, length in zip(wide.shape, narrow.shape, strict=True)
    )


def _shape(tensor: TensorSpec) -> str:
    return "(" + ", ".join("any" if axis == -1 else str(axis) for axis in tensor.shape) + ")"
