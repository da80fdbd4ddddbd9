"""Namespaces and models: the spaces that roles bind to and the lines of versions in them.

Rules:
- A name, once used in its parent, is never given to another thing, even after deletion.
- A deleted model keeps its versions and can be restored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Namespace:
    """A team's space; every resource name starts with one."""

    namespace_id: str
    display_name: str
    description: str
    created_by: str
    create_time: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class Model:
    """A named line of versions.

    ``version_high_water`` is the greatest number ever given; ``delete_time`` is None while
    the model is live. ``model_uid`` is never reused.
    """

    namespace_id: str
    model_id: str
    model_uid: str
    display_name: str
    description: str
    task: str
    keywords: tuple[str, ...]
    tags: Mapping[str, str]
    created_by: str
    create_time: datetime
    update_time: datetime
    etag: str
    version_high_water: int = 0
    delete_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelChange:
    """What an update asks for: None leaves a field as it is."""

    display_name: str | None = None
    description: str | None = None
    task: str | None = None
    keywords: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = field(default=None)
