"""The generated stubs of every service, on one channel."""

from typing import TYPE_CHECKING

import grpc

from assay.v1.access_service_pb2_grpc import AccessServiceStub
from assay.v1.artifact_service_pb2 import WriteUploadResponse
from assay.v1.artifact_service_pb2_grpc import ArtifactServiceStub
from assay.v1.audit_service_pb2_grpc import AuditServiceStub
from assay.v1.evaluation_service_pb2_grpc import EvaluationServiceStub
from assay.v1.registry_service_pb2_grpc import RegistryServiceStub
from assay.v1.watch_service_pb2_grpc import WatchServiceStub

if TYPE_CHECKING:
    # These classes exist only in the stub files.
    from assay.v1.access_service_pb2_grpc import AccessServiceAsyncStub
    from assay.v1.artifact_service_pb2_grpc import ArtifactServiceAsyncStub
    from assay.v1.audit_service_pb2_grpc import AuditServiceAsyncStub
    from assay.v1.evaluation_service_pb2_grpc import EvaluationServiceAsyncStub
    from assay.v1.registry_service_pb2_grpc import RegistryServiceAsyncStub
    from assay.v1.watch_service_pb2_grpc import WatchServiceAsyncStub

    RawWriteUpload = grpc.aio.StreamUnaryMultiCallable[bytes, WriteUploadResponse]


class Stubs:
    """One attribute per service, for what the verbs do not cover.

    A raw call has no deadline, request id or typed exception unless the caller adds them:
    ``await client.stubs.registry.GetModel(request, timeout=10)``.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.access: AccessServiceAsyncStub = AccessServiceStub(channel)
        self.artifacts: ArtifactServiceAsyncStub = ArtifactServiceStub(channel)
        self.audit: AuditServiceAsyncStub = AuditServiceStub(channel)
        self.evaluations: EvaluationServiceAsyncStub = EvaluationServiceStub(channel)
        self.registry: RegistryServiceAsyncStub = RegistryServiceStub(channel)
        self.watch: WatchServiceAsyncStub = WatchServiceStub(channel)
        # Messages are encoded by hand, around payloads that are never copied into an object.
        self.write_upload: RawWriteUpload = channel.stream_unary(
            "/assay.v1.ArtifactService/WriteUpload",
            request_serializer=None,
            response_deserializer=WriteUploadResponse.FromString,
        )
