"""Namespaces on the wire."""

from assay.v1 import namespace_pb2
from assay_server.domain.models import Namespace
from assay_server.domain.names import namespace_name
from assay_server.transport.translating.timestamps import to_timestamp


def to_message(namespace: Namespace) -> namespace_pb2.Namespace:
    """Translate for an answer."""
    return namespace_pb2.Namespace(
        name=namespace_name(namespace.namespace_id),
        display_name=namespace.display_name,
        description=namespace.description,
        created_by=namespace.created_by,
        create_time=to_timestamp(namespace.create_time),
        etag=namespace.etag,
    )
