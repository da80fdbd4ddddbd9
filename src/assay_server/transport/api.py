"""What the contract says of every method, read from the generated descriptors."""

from collections.abc import Mapping
from typing import Final

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from assay.v1 import (
    access_service_pb2,
    artifact_service_pb2,
    audit_service_pb2,
    evaluation_service_pb2,
    registry_service_pb2,
    watch_service_pb2,
)

SERVICES: Final[tuple[ServiceDescriptor, ...]] = tuple(
    service
    for file in (
        access_service_pb2,
        artifact_service_pb2,
        audit_service_pb2,
        evaluation_service_pb2,
        registry_service_pb2,
        watch_service_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
)

METHODS: Final[Mapping[str, MethodDescriptor]] = {
    f"{service.full_name}/{method.name}": method
    for service in SERVICES
    for method in service.methods
}
"""By the name that the trail, the metrics and the permission table use."""


def is_read(method: MethodDescriptor) -> bool:
    """Whether the contract promises that the method changes nothing."""
    level: int = method.GetOptions().idempotency_level
    return level == MethodOptions.NO_SIDE_EFFECTS
