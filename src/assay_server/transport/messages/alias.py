"""Aliases and their history on the wire."""

from assay.v1 import alias_pb2
from assay_server.domain.aliases import Alias, AliasMove
from assay_server.domain.names import VersionName, alias_name, version_name
from assay_server.transport.messages import gate
from assay_server.transport.translating.timestamps import to_timestamp


def to_message(alias: Alias, *, is_protected: bool = False) -> alias_pb2.Alias:
    """Translate for an answer."""
    return alias_pb2.Alias(
        name=alias_name(alias.namespace_id, alias.model_id, alias.alias_id),
        version=version_name(alias.namespace_id, alias.model_id, alias.number),
        version_number=alias.number,
        moved_by=alias.moved_by,
        move_time=to_timestamp(alias.move_time),
        protected=is_protected,
        etag=alias.etag,
    )


def move_message(move: AliasMove) -> alias_pb2.AliasMove:
    """Translate one step of the history."""
    version = VersionName(move.namespace_id, move.model_id, move.number)
    return alias_pb2.AliasMove(
        version_number=move.number,
        previous_version_number=move.previous_number,
        moved_by=move.moved_by,
        move_time=to_timestamp(move.move_time),
        reason=move.reason,
        revision=move.revision,
        verdict=gate.verdict_message(move.verdict, version),
    )
