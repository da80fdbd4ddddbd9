"""Role bindings on the wire."""

from assay.v1 import role_binding_pb2
from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.names import role_binding_name
from assay_server.transport.translating.enums import from_enum, to_enum
from assay_server.transport.translating.timestamps import to_timestamp


def to_message(binding: RoleBinding) -> role_binding_pb2.RoleBinding:
    """Translate for an answer."""
    return role_binding_pb2.RoleBinding(
        name=role_binding_name(binding.scope, binding.binding_id),
        role=to_enum(binding.role, role_binding_pb2.Role),
        member=binding.member,
        created_by=binding.created_by,
        create_time=to_timestamp(binding.create_time),
    )


def role_of(message: role_binding_pb2.RoleBinding) -> Role:
    """The role that a request names."""
    return from_enum(message.role, role_binding_pb2.Role, Role, field="role_binding.role")
