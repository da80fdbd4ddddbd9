"""What people may attach to things, and how much of it."""

from collections.abc import Callable

import pytest

from assay_server.domain import limits
from assay_server.domain.errors import InvalidField

ACCEPTED: list[tuple[Callable[..., object], object]] = [
    (limits.require_display_name, "Ziffern, handgeschrieben 手書き"),
    (limits.require_description, "two\nlines"),
    (limits.require_description, "x" * limits.DESCRIPTION_BYTES_MAX),
    (limits.require_task, ""),
    (limits.require_task, "image-classification"),
    (limits.require_keywords, ("computer-vision", "mnist", "3d")),
    (limits.require_tags, {"team": "", "cost.centre_2-b": "digits"}),
]

REFUSED: list[tuple[Callable[..., object], object, str]] = [
    (limits.require_display_name, "x" * 129, "display_name"),
    (limits.require_display_name, "a\tb", "display_name"),
    (limits.require_description, "a\0b", "description"),
    (limits.require_description, "\ud800", "description"),
    (limits.require_description, "x" * (limits.DESCRIPTION_BYTES_MAX + 1), "description"),
    (limits.require_description, "é" * (limits.DESCRIPTION_BYTES_MAX // 2 + 1), "description"),
    (limits.require_card, "x" * (limits.CARD_BYTES_MAX + 1), "card"),
    (limits.require_reason, "x" * (limits.REASON_BYTES_MAX + 1), "reason"),
    (limits.require_task, "Image Classification", "task"),
    (limits.require_keywords, ("a", "a"), "keywords"),
    (limits.require_keywords, ("",), "keywords"),
    (limits.require_keywords, ("two words",), "keywords"),
    (limits.require_keywords, ("a--b",), "keywords"),
    (limits.require_keywords, ("x" * 64,), "keywords"),
    (limits.require_keywords, tuple(f"k{i}" for i in range(33)), "keywords"),
    (limits.require_tags, {"": "x"}, "tags"),
    (limits.require_tags, {"a b": "x"}, "tags"),
    (limits.require_tags, {"a": "x\n"}, "tags[a]"),
    (limits.require_tags, {"a": "x" * 257}, "tags[a]"),
    (limits.require_tags, {f"k{i}": "" for i in range(65)}, "tags"),
]


@pytest.mark.parametrize(("require", "value"), ACCEPTED)
def test_what_keeps_the_limits_is_returned_unchanged(
    require: Callable[..., object], value: object
) -> None:
    assert require(value) == value


@pytest.mark.parametrize(("require", "value", "field"), REFUSED)
def test_what_breaks_a_limit_is_refused_by_field(
    require: Callable[..., object], value: object, field: str
) -> None:
    with pytest.raises(InvalidField) as refusal:
        require(value)

    assert refusal.value.field == field
