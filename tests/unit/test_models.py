"""Rules on models and their freshness tags."""

from dataclasses import replace
from datetime import timedelta

import pytest

from assay_server.domain.errors import EtagMismatch, ModelIsDeleted, NotDeleted
from assay_server.domain.etags import require_etag
from assay_server.domain.models import (
    Model,
    ModelChange,
    deleted,
    edited,
    require_live,
    undeleted,
)
from tests.unit.making import NOON

LATER = NOON + timedelta(hours=1)
MODEL = Model(
    namespace_id="vision",
    model_id="digits",
    model_uid="u1",
    display_name="Digits",
    description="Reads digits",
    task="image-classification",
    keywords=("ocr",),
    tags={"team": "vision"},
    created_by="spiffe://lab/ann",
    create_time=NOON,
    update_time=NOON,
    etag="e1",
    version_high_water=3,
)


def test_an_edit_changes_what_it_names_and_nothing_else() -> None:
    changed = edited(MODEL, ModelChange(description="", tags={}), now=LATER, etag="e2")

    assert changed == replace(MODEL, description="", tags={}, update_time=LATER, etag="e2")


def test_a_deleted_model_can_be_restored_and_neither_happens_twice() -> None:
    hidden = deleted(MODEL, now=LATER, etag="e2")

    assert hidden.delete_time == LATER
    assert undeleted(hidden, now=LATER, etag="e3") == replace(MODEL, update_time=LATER, etag="e3")
    with pytest.raises(ModelIsDeleted):
        deleted(hidden, now=LATER, etag="e3")
    with pytest.raises(NotDeleted):
        undeleted(MODEL, now=LATER, etag="e3")


def test_nothing_of_a_deleted_model_changes() -> None:
    hidden = deleted(MODEL, now=LATER, etag="e2")

    with pytest.raises(ModelIsDeleted, match="namespaces/vision/models/digits is deleted"):
        edited(hidden, ModelChange(task=""), now=LATER, etag="e3")
    with pytest.raises(ModelIsDeleted):
        require_live(hidden)


def test_a_stale_etag_is_refused_with_the_current_one() -> None:
    with pytest.raises(EtagMismatch) as refusal:
        require_etag("namespaces/vision/models/digits", expected="e0", current="e1")

    assert refusal.value.metadata["current_etag"] == "e1"


def test_without_an_etag_nothing_is_asked() -> None:
    require_etag("namespaces/vision/models/digits", expected="", current="e1")
