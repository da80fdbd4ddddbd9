"""Resource names: how each thing is called, and which ids are legal.

Rules:
- Ids that people choose are lower-case ASCII slugs, so that names are safe in URLs and shells
  and two names never look alike.
- An alias id never looks like a version, and ``latest`` and ``greatest`` are taken.
- Ids that the server gives may begin with a digit.
"""

import re
from functools import cache
from typing import NamedTuple

from assay_server.domain.errors import InvalidName
from assay_server.domain.gates import PUBLISH

ID_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,62}")
"""63 characters at most: the limit of a DNS label, which most systems share."""

GIVEN_ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

NUMBER_PATTERN = re.compile(r"[1-9][0-9]{0,8}")
"""Version numbers have nine digits at most: they fit in 32 bits everywhere."""

VERSION_NUMBER_MAX = 999_999_999

RESERVED_ALIASES = frozenset({"latest", "greatest"})
ALIAS_GATE_PREFIX = "alias-"
ALIAS_ID_CHARACTERS_MAX = 63 - len(ALIAS_GATE_PREFIX)
"""So that ``alias-<alias id>`` is a legal gate id."""

_LOOKS_LIKE_VERSION = re.compile(r"v?[0-9][0-9a-z-]*")
_ID_RULE = "use 1 to 63 of a-z, 0-9 and -, beginning with a letter"


class ModelName(NamedTuple):
    """``namespaces/{namespace}/models/{model}``."""

    namespace_id: str
    model_id: str


class DraftName(NamedTuple):
    """``…/models/{model}/drafts/{draft}``."""

    namespace_id: str
    model_id: str
    draft_id: str


class UploadName(NamedTuple):
    """``…/drafts/{draft}/uploads/{upload}``."""

    namespace_id: str
    model_id: str
    draft_id: str
    upload_id: str


class VersionName(NamedTuple):
    """``…/models/{model}/versions/{number}``."""

    namespace_id: str
    model_id: str
    number: int


class EvaluationName(NamedTuple):
    """``…/versions/{number}/evaluations/{evaluation}``."""

    namespace_id: str
    model_id: str
    number: int
    evaluation_id: str


class AliasName(NamedTuple):
    """``…/models/{model}/aliases/{alias}``."""

    namespace_id: str
    model_id: str
    alias_id: str


class GateName(NamedTuple):
    """``namespaces/{namespace}[/models/{model}]/gates/{gate}``; no model: ``model_id`` is ""."""

    namespace_id: str
    model_id: str
    gate_id: str


class RoleBindingName(NamedTuple):
    """``[{scope}/]roleBindings/{binding}``."""

    scope: str
    binding_id: str


class Scope(NamedTuple):
    """Where a role binding holds; both ids empty: everywhere."""

    namespace_id: str = ""
    model_id: str = ""


def past_name(name: str) -> str:
    """What sorts behind ``name`` and before every other name: all their characters are greater."""
    return f"{name}!"


def name_ranges(prefix: str) -> tuple[tuple[str, str], ...]:
    """Where ``prefix`` itself and what lies below it sort, from the first to before the second.

    In the order of bytes others stand between them: ``a``, then ``a-b``, then ``a/c``.
    """
    return (prefix, past_name(prefix)), (f"{prefix}/", f"{prefix}0")


def namespace_name(namespace_id: str) -> str:
    """Name of a namespace."""
    return f"namespaces/{namespace_id}"


def model_name(namespace_id: str, model_id: str) -> str:
    """Name of a model."""
    return f"namespaces/{namespace_id}/models/{model_id}"


def draft_name(namespace_id: str, model_id: str, draft_id: str) -> str:
    """Name of a draft."""
    return f"{model_name(namespace_id, model_id)}/drafts/{draft_id}"


def upload_name(namespace_id: str, model_id: str, draft_id: str, upload_id: str) -> str:
    """Name of an upload."""
    return f"{draft_name(namespace_id, model_id, draft_id)}/uploads/{upload_id}"


def version_name(namespace_id: str, model_id: str, number: int) -> str:
    """Name of a version."""
    return f"{model_name(namespace_id, model_id)}/versions/{number}"


def evaluation_name(namespace_id: str, model_id: str, number: int, evaluation_id: str) -> str:
    """Name of an evaluation."""
    return f"{version_name(namespace_id, model_id, number)}/evaluations/{evaluation_id}"


def alias_name(namespace_id: str, model_id: str, alias_id: str) -> str:
    """Name of an alias."""
    return f"{model_name(namespace_id, model_id)}/aliases/{alias_id}"


def gate_name(namespace_id: str, model_id: str, gate_id: str) -> str:
    """Name of a gate; an empty ``model_id`` names one of the namespace."""
    return f"{scope_name(namespace_id, model_id)}/gates/{gate_id}"


def scope_name(namespace_id: str = "", model_id: str = "") -> str:
    """Name of a scope: "", a namespace or a model."""
    if not namespace_id:
        return ""
    return model_name(namespace_id, model_id) if model_id else namespace_name(namespace_id)


def role_binding_name(scope: str, binding_id: str) -> str:
    """Name of a role binding."""
    return f"{scope}/roleBindings/{binding_id}" if scope else f"roleBindings/{binding_id}"


def audit_entry_name(entry_id: str) -> str:
    """Name of an audit entry."""
    return f"auditEntries/{entry_id}"


def alias_gate_id(alias_id: str) -> str:
    """Id of the gate that protects an alias."""
    return f"{ALIAS_GATE_PREFIX}{alias_id}"


def parse_namespace(name: str, *, field: str = "name") -> str:
    """The namespace id in ``name``."""
    return _parsed(name, "namespaces/{id}", field)[0]


def parse_model(name: str, *, field: str = "name") -> ModelName:
    """The ids in the name of a model."""
    return ModelName(*_parsed(name, "namespaces/{id}/models/{id}", field))


def parse_draft(name: str, *, field: str = "name") -> DraftName:
    """The ids in the name of a draft."""
    return DraftName(*_parsed(name, "namespaces/{id}/models/{id}/drafts/{given}", field))


def parse_upload(name: str, *, field: str = "name") -> UploadName:
    """The ids in the name of an upload."""
    pattern = "namespaces/{id}/models/{id}/drafts/{given}/uploads/{given}"
    return UploadName(*_parsed(name, pattern, field))


def parse_version(name: str, *, field: str = "name") -> VersionName:
    """The ids and the number in the name of a version."""
    namespace, model, number = _parsed(name, "namespaces/{id}/models/{id}/versions/{number}", field)
    return VersionName(namespace, model, int(number))


def parse_evaluation(name: str, *, field: str = "name") -> EvaluationName:
    """The ids and the number in the name of an evaluation."""
    pattern = "namespaces/{id}/models/{id}/versions/{number}/evaluations/{given}"
    namespace, model, number, evaluation = _parsed(name, pattern, field)
    return EvaluationName(namespace, model, int(number), evaluation)


def parse_alias(name: str, *, field: str = "name") -> AliasName:
    """The ids in the name of an alias."""
    parsed = AliasName(*_parsed(name, "namespaces/{id}/models/{id}/aliases/{id}", field))
    require_alias_id(parsed.alias_id, field=field)
    return parsed


def parse_gate(name: str, *, field: str = "name") -> GateName:
    """The ids in the name of a gate of a namespace or of a model."""
    if name.count("/") == 3:
        namespace, gate = _parsed(name, "namespaces/{id}/gates/{id}", field)
        parsed = GateName(namespace, "", gate)
    else:
        parsed = GateName(*_parsed(name, "namespaces/{id}/models/{id}/gates/{id}", field))
    require_gate_id(parsed.gate_id, field=field)
    return parsed


def parse_scope(name: str, *, field: str = "scope") -> Scope:
    """The ids in "", the name of a namespace or the name of a model."""
    if not name:
        return Scope()
    if name.count("/") == 1:
        return Scope(parse_namespace(name, field=field))
    return Scope(*parse_model(name, field=field))


def parse_role_binding(name: str, *, field: str = "name") -> RoleBindingName:
    """The scope and the id in the name of a role binding."""
    scope, found, binding_id = f"/{name}".rpartition("/roleBindings/")
    if not found or name.startswith("/"):
        raise InvalidName(name, "write it like namespaces/vision/roleBindings/ci", field=field)
    scope = scope.removeprefix("/")
    parse_scope(scope, field=field)
    if not GIVEN_ID_PATTERN.fullmatch(binding_id):
        raise InvalidName(name, f"the id of the binding is wrong: {_ID_RULE}", field=field)
    return RoleBindingName(scope, binding_id)


def parse_audit_entry(name: str, *, field: str = "name") -> str:
    """The id in the name of an audit entry."""
    return _parsed(name, "auditEntries/{given}", field)[0]


def enclosing_scope(name: str) -> Scope:
    """The scope that decides access to the resource ``name``, which is not checked further."""
    match name.split("/"):
        case ["namespaces", namespace_id, "models", model_id, *_]:
            return Scope(namespace_id, model_id)
        case ["namespaces", namespace_id, *_]:
            return Scope(namespace_id)
    return Scope()


def require_id(text: str, *, field: str) -> str:
    """``text``, if people may choose it as an id."""
    if not ID_PATTERN.fullmatch(text):
        raise InvalidName(text, _ID_RULE, field=field)
    return text


def require_alias_id(text: str, *, field: str = "alias_id") -> str:
    """``text``, if an alias may be called so.

    Raises:
        InvalidName: It breaks the grammar, is reserved, or could be taken for a version.
    """
    if text in RESERVED_ALIASES:
        raise InvalidName(text, "latest and greatest are worked out, not set", field=field)
    if _LOOKS_LIKE_VERSION.fullmatch(text):
        raise InvalidName(text, "an alias must not look like a version", field=field)
    if len(text) > ALIAS_ID_CHARACTERS_MAX:
        problem = f"an alias has at most {ALIAS_ID_CHARACTERS_MAX} characters"
        raise InvalidName(text, problem, field=field)
    return require_id(text, field=field)


def require_gate_id(text: str, *, field: str = "gate_id") -> str:
    """``text``, if it is ``publish`` or ``alias-{alias}``."""
    if text == PUBLISH:
        return text
    if not text.startswith(ALIAS_GATE_PREFIX):
        raise InvalidName(text, "a gate is called publish or alias-{alias}", field=field)
    require_alias_id(text.removeprefix(ALIAS_GATE_PREFIX), field=field)
    return text


_SEGMENTS = {"{id}": ID_PATTERN, "{given}": GIVEN_ID_PATTERN, "{number}": NUMBER_PATTERN}


@cache
def _grammar(pattern: str) -> re.Pattern[str]:
    """All of a name in one expression: every call has a name or two."""
    segments = (
        f"({_SEGMENTS[each].pattern})" if each in _SEGMENTS else re.escape(each)
        for each in pattern.split("/")
    )
    return re.compile("/".join(segments))


def _parsed(name: str, pattern: str, field: str) -> list[str]:
    """The variable segments of ``name``, each checked against its place in ``pattern``."""
    found = _grammar(pattern).fullmatch(name)
    if found:
        return list(found.groups())
    shape = pattern.replace("{given}", "{id}")
    raise InvalidName(name, f"write it like {shape}, where an id has a-z, 0-9 and -", field=field)
