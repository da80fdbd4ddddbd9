"""Permission: decided from bindings alone, before the object that is named is touched."""

import re
from collections.abc import Iterator
from typing import Any

import grpc

from assay_server.access.deciding import Granted
from assay_server.access.permissions import Permission
from assay_server.access.requiring import require_permission
from assay_server.domain.audit import Decision, Phase
from assay_server.domain.calls import Call
from assay_server.domain.errors import InvalidName, NotFound
from assay_server.domain.names import ID_PATTERN, Scope, enclosing_scope
from assay_server.domain.references import parse_reference
from assay_server.services.grants import Grants
from assay_server.transport.caller import Answering, begin_answering, end_answering
from assay_server.transport.interceptors.auditing import Audited
from assay_server.transport.interceptors.rpc import Proceed, Rpc
from assay_server.transport.permissions import Reach, Requirement
from assay_server.transport.retries import payload_sha256, request_id_of

_ID = ID_PATTERN.pattern
_SCOPED = re.compile(
    rf"namespaces/(?P<namespace>{_ID})(?:/models/(?P<model>{_ID})(?:/.*)?|/(?!models(?:/|$)).*)?"
)
RESOURCE_CHARACTERS_MAX = 512
"""Of what a caller calls a resource; the longest legal name has about 300."""

_EVERY_NAMESPACE = "namespaces/-"

Named = tuple[str, Scope]
"""What a request names, and the scope that decides about it."""


class Permitted:
    """Asks the permission table, and makes the ``Call`` that services get."""

    def __init__(self, grants: Grants, audited: Audited) -> None:
        self._grants = grants
        self._audited = audited

    async def calls(self, rpc: Rpc, proceed: Proceed) -> bytes | None:
        """Authorize, or raise what says why not."""
        requirement = rpc.method.requirement
        assert requirement is not None
        self._note_resource(rpc, requirement)
        rpc.request_id = request_id_of(rpc.request)
        call = await self._authorized(rpc, requirement)
        rpc.answering = Answering(
            call,
            certificate_sha256=rpc.certificate_sha256,
            certificate_expire_time=rpc.certificate_expire_time,
        )
        token = begin_answering(rpc.answering)
        try:
            return await proceed(rpc)
        finally:
            end_answering(token)

    def _note_resource(self, rpc: Rpc, requirement: Requirement) -> None:
        """Tell the trail what was asked for, whatever becomes of it."""
        if requirement.fields:
            value = next(iter(_values(rpc.request, requirement.fields[0])), "")
            prefix = "namespaces/" if requirement.reach is Reach.GLOBAL else ""
            rpc.resource = _recorded(prefix + value)
            match = _SCOPED.fullmatch(rpc.resource)
            rpc.namespace_id = match["namespace"] if match else ""

    async def _authorized(self, rpc: Rpc, requirement: Requirement) -> Call:
        readable: frozenset[str] | None = frozenset()
        named = tuple(_named(rpc.request, requirement))
        if named and requirement.reach is Reach.REFERENCE:
            rpc.namespace_id = named[0][1].namespace_id
        permission = requirement.permission
        if permission is not None and requirement.reach is Reach.LIST and not named:
            readable = await self._grants.readable(rpc.principal, permission)
        if requirement.elsewhere is not None:
            readable = await self._grants.readable(rpc.principal, requirement.elsewhere)
        granted = await self._grants.at(rpc.principal, named[0][1] if named else Scope())
        if permission is not None:
            try:
                await self._require(rpc, requirement, named)
            except NotFound:
                rpc.decision = Decision.DENIED
                raise
        rpc.decision = Decision.ALLOWED
        rpc.roles = ",".join(sorted(granted.roles))
        return self._call(rpc, granted, readable)

    async def _require(self, rpc: Rpc, requirement: Requirement, named: tuple[Named, ...]) -> None:
        for permission in _permissions(rpc.request, requirement):
            for name, scope in named:
                granted = await self._grants.at(rpc.principal, scope)
                require_permission(granted, permission, resource=name, principal=rpc.principal)

    def _call(self, rpc: Rpc, granted: Granted, readable: frozenset[str] | None) -> Call:
        return Call(
            principal=rpc.principal,
            method=rpc.method.full_name,
            permissions=granted.permissions,
            roles=granted.roles,
            readable_namespaces=readable,
            request_id=rpc.request_id,
            payload_sha256=payload_sha256(rpc.request) if rpc.request_id else "",
            entry=lambda: self._audited.entry(rpc, grpc.StatusCode.OK, "", Phase.CALL),
        )


def _recorded(name: str) -> str:
    """``name`` for the trail and the log: cut when it is absurd, unprintables escaped."""
    return repr(name[:RESOURCE_CHARACTERS_MAX])[1:-1]


def _permissions(request: Any, requirement: Requirement) -> Iterator[Permission]:
    """Yield what is needed, and what is needed because of a field that is set."""
    assert requirement.permission is not None
    yield requirement.permission
    for field, permission in requirement.when:
        if getattr(request, field):
            yield permission


def _named(request: Any, requirement: Requirement) -> Iterator[Named]:
    """Yield what the request names, with scopes; nothing where a list is over all.

    Raises:
        InvalidName: A name does not begin like one.
        InvalidReference: A reference has no reading.
    """
    match requirement.reach:
        case Reach.GLOBAL:
            yield "", Scope()
            return
        case Reach.NONE:
            return
        case Reach.REFERENCE:
            reference = parse_reference(next(_values(request, requirement.fields[0])))
            yield reference.model, Scope(reference.namespace_id, reference.model_id)
            return
    for field in requirement.fields:
        for name in _values(request, field):
            if requirement.reach is Reach.LIST and name in {"", _EVERY_NAMESPACE}:
                continue
            is_everywhere = name == "" or name.startswith("roleBindings/")
            if requirement.reach is Reach.SCOPE and is_everywhere:
                yield "", Scope()
            elif _SCOPED.fullmatch(name):
                yield name, enclosing_scope(name)
            else:
                problem = "write it like namespaces/vision/models/digits"
                raise InvalidName(name, problem, field=field)


def _values(request: Any, path: str) -> Iterator[str]:
    """Yield the texts at a dotted path; several for a repeated field."""
    value = request
    for step in path.split("."):
        value = getattr(value, step)
    if isinstance(value, str):
        yield value
    else:
        yield from value
