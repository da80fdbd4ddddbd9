"""Short names, as a person types them, and the resource names that they stand for.

``vision/digits`` is a model, ``vision/digits/7`` a version, ``vision/digits@champion`` an alias
or any other reference. Where a client has a namespace of its own, ``digits``, ``digits/7`` and
``digits@champion`` will do. Full resource names are taken everywhere.
"""

import re
from typing import Protocol

from assay.errors import InvalidName, InvalidReference

_ID = r"[a-z][a-z0-9-]{0,62}"
_MODEL = re.compile(rf"(?:(?P<namespace>{_ID})/)?(?P<model>{_ID})")
_VERSION = re.compile(rf"(?:(?P<namespace>{_ID})/)?(?P<model>{_ID})/(?P<number>[1-9][0-9]{{0,8}})")
_FULL_VERSION = re.compile(rf"namespaces/{_ID}/models/{_ID}/versions/[1-9][0-9]{{0,8}}")


class Named(Protocol):
    """A message with a resource name, such as a Model or a ModelVersion."""

    @property
    def name(self) -> str:
        """The resource name."""


def text_of(named: str | Named) -> str:
    """The name of ``named``, which may be a name already."""
    return named if isinstance(named, str) else named.name


def namespace_name(text: str, default: str = "") -> str:
    """``namespaces/{namespace}`` for ``vision``; for an empty text, the default namespace."""
    text = text or default
    if text.startswith("namespaces/"):
        return text
    if not re.fullmatch(_ID, text):
        raise InvalidName(f"{text!r} is not a namespace; write it like vision.")
    return f"namespaces/{text}"


def model_name(text: str, namespace: str = "") -> str:
    """``namespaces/{namespace}/models/{model}`` for ``vision/digits``."""
    if text.startswith("namespaces/"):
        return text
    found = _MODEL.fullmatch(text)
    if not found:
        raise InvalidName(
            f"{text!r} is not a model; write it like vision/digits, with a-z, 0-9 and -."
        )
    return _joined(found["namespace"], found["model"], namespace, text)


def version_name(text: str, namespace: str = "") -> str | None:
    """``…/versions/7`` for ``vision/digits/7``; None for what must be resolved first."""
    if _FULL_VERSION.fullmatch(text):
        return text
    found = _VERSION.fullmatch(text)
    if not found:
        return None
    model = _joined(found["namespace"], found["model"], namespace, text)
    return f"{model}/versions/{found['number']}"


def alias_name(text: str, namespace: str = "") -> str:
    """``…/aliases/champion`` for ``vision/digits@champion``."""
    if text.startswith("namespaces/"):
        return text
    model, found, alias = text.partition("@")
    if not found or not re.fullmatch(_ID, alias):
        raise InvalidName(f"{text!r} is not an alias; write it like vision/digits@champion.")
    return f"{model_name(model, namespace)}/aliases/{alias}"


def reference(text: str, namespace: str = "") -> str:
    """``text`` as the server resolves it: with the namespace in front."""
    if text.startswith("namespaces/"):
        return text
    model, found, _ = text.partition("@")
    if not found and not _VERSION.fullmatch(text):
        raise InvalidReference(
            f"{text!r} does not say which version. Write vision/digits/7, vision/digits@champion, "
            "vision/digits@1.4.2 or vision/digits@latest."
        )
    if found and "/" in model:
        return text
    if not found and text.count("/") == 2:
        return text
    if not namespace:
        raise InvalidReference(f"{text!r} has no namespace; write it like vision/{text}.")
    return f"{namespace}/{text}"


def scope_name(text: str) -> str:
    """The name of a namespace (``vision``) or model (``vision/digits``); empty for everywhere."""
    if not text or text.startswith("namespaces/"):
        return text
    return model_name(text) if "/" in text else namespace_name(text)


def gate_name(scope: str, gate_id: str) -> str:
    """``…/gates/publish`` of a namespace (``vision``) or a model (``vision/digits``)."""
    if not scope:
        raise InvalidName("A gate belongs to a namespace or a model: name one, like vision.")
    return f"{scope_name(scope)}/gates/{gate_id}"


def short(name: str) -> str:
    """What a person would type for the resource name ``name``, where there is such a thing."""
    match name.split("/"):
        case ["namespaces", namespace]:
            return namespace
        case ["namespaces", namespace, "models", model]:
            return f"{namespace}/{model}"
        case ["namespaces", namespace, "models", model, "versions", number]:
            return f"{namespace}/{model}/{number}"
        case ["namespaces", namespace, "models", model, "aliases", alias]:
            return f"{namespace}/{model}@{alias}"
    return name


def _joined(namespace: str | None, model: str, default: str, text: str) -> str:
    namespace = namespace or default
    if not namespace:
        raise InvalidName(f"{text!r} has no namespace; write it like vision/{text}.")
    return f"namespaces/{namespace}/models/{model}"
