"""Builds every room from the settings and hands each what it needs: the wiring, and all of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata

from opentelemetry.trace import TracerProvider
from prometheus_client import CollectorRegistry

from assay.v1 import (
    access_service_pb2_grpc,
    audit_service_pb2_grpc,
    evaluation_service_pb2_grpc,
    registry_service_pb2_grpc,
    watch_service_pb2_grpc,
)
from assay_server.access.identities import IdentityRule, NameSource
from assay_server.app.clock import SystemClock, Uuid7
from assay_server.app.page_key import page_key
from assay_server.config import Config
from assay_server.domain.rates import Rate
from assay_server.domain.uploading import TransferLimits
from assay_server.ports.audit import AuditReads, AuditSink
from assay_server.ports.blobs import BlobKeeping, BlobStore
from assay_server.ports.metadata import MetadataStore
from assay_server.services.access import AccessService
from assay_server.services.aliases import AliasService
from assay_server.services.audit import AuditService
from assay_server.services.collecting import CollectingService
from assay_server.services.downloads import DownloadService
from assay_server.services.drafts import DraftService
from assay_server.services.evaluations import EvaluationService
from assay_server.services.expiring import ExpiringService
from assay_server.services.gates import GateService
from assay_server.services.grants import Grants
from assay_server.services.models import ModelService
from assay_server.services.namespaces import NamespaceService
from assay_server.services.publishing import Publisher, PublishingService
from assay_server.services.resolving import ResolvingService
from assay_server.services.sealing import SealingService
from assay_server.services.uploads import UploadService
from assay_server.services.versions import VersionService
from assay_server.services.watch import WatchService
from assay_server.transport.access import AccessServicer
from assay_server.transport.api import METHODS
from assay_server.transport.artifacts import ArtifactServicer
from assay_server.transport.audit import AuditServicer
from assay_server.transport.deny_file import DenyFile
from assay_server.transport.evaluation.servicer import EvaluationServicer
from assay_server.transport.interceptors.around import Around
from assay_server.transport.interceptors.auditing import Audited
from assay_server.transport.interceptors.composing import concerns
from assay_server.transport.interceptors.identifying import Identified
from assay_server.transport.interceptors.limiting import Limited, Share
from assay_server.transport.interceptors.measuring import Measured
from assay_server.transport.interceptors.permitting import Permitted
from assay_server.transport.interceptors.tallying import Tallied
from assay_server.transport.paging import Paging
from assay_server.transport.permissions import REQUIREMENTS, require_rows
from assay_server.transport.registry.servicer import RegistryServicer, RegistryServices
from assay_server.transport.server import EXEMPT, AddTo, GrpcServer, ServerLimits
from assay_server.transport.watch import WatchServicer

VERSION = metadata.version("assay-registry-server")
CLOCK = SystemClock()
IDS = Uuid7()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The rooms that keep things.

    ``ping`` raises when the store does not answer; ``keep`` does what is due each day.
    """

    facts: MetadataStore
    sink: AuditSink
    trail: AuditReads
    blobs: BlobStore
    blob_keeping: BlobKeeping
    ping: Callable[[], Awaitable[None]]
    keep: Callable[[datetime], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Front:
    """The gRPC server, the list of those that it denies, and the count of its refusals."""

    server: GrpcServer
    denied: DenyFile
    tallied: Tallied


def front(
    config: Config,
    stores: Stores,
    metrics: CollectorRegistry,
    tracers: TracerProvider | None,
) -> Front:
    """The front of the house.

    Raises:
        UnusableDenyFile: The deny-list cannot be read.
        MissingRows: An RPC has no row in the permission table.
    """
    require_rows(METHODS, REQUIREMENTS)
    grants = Grants(stores.facts, fresh_s=config.limits.access_fresh_s)
    tallied = Tallied(stores.sink, CLOCK, IDS)
    audited = Audited(stores.sink, CLOCK, IDS, tallied=tallied)
    identified = Identified(
        _identity_rule(config), CLOCK, is_plaintext=config.server.plaintext_for_development
    )
    around = Around(
        concerns(
            tracer=tracers.get_tracer("assay", VERSION) if tracers is not None else None,
            measured=Measured(METHODS.items(), metrics),
            audited=audited,
            identified=identified,
            limited=Limited(_share(config)),
            permitted=Permitted(grants, audited),
        ),
        REQUIREMENTS,
        IDS,
        message_bytes_max=config.limits.message_bytes_max,
        exempt=EXEMPT,
        stall_s=config.limits.upload_idle_s,
    )
    denied = DenyFile(config.identity.deny_file, metrics, identified.deny)
    server = GrpcServer(around, _servicers(config, stores, grants), _server_limits(config))
    return Front(server, denied, tallied)


def collecting(config: Config, stores: Stores) -> CollectingService:
    """What removes bytes that nothing refers to."""
    return CollectingService(stores.facts, stores.blob_keeping, CLOCK, _transfer_limits(config))


def expiring(stores: Stores) -> ExpiringService:
    """What gives up drafts and uploads that nobody went on with."""
    return ExpiringService(stores.facts, CLOCK, IDS)


def _servicers(config: Config, stores: Stores, grants: Grants) -> Sequence[AddTo]:
    """Every service of the contract, ready to be added to a server."""
    store, paging = stores.facts, Paging(page_key(config.paging))
    access = AccessServicer(
        NamespaceService(store, CLOCK, IDS),
        AccessService(store, CLOCK, IDS, grants),
        paging,
        clock=CLOCK,
        server_version=VERSION,
    )
    evaluation = EvaluationServicer(
        EvaluationService(store, CLOCK, IDS), GateService(store, CLOCK, IDS), paging
    )
    registry = RegistryServicer(_registry_services(store), paging)
    artifacts = ArtifactServicer(
        UploadService(store, stores.blobs, CLOCK, _transfer_limits(config)),
        DownloadService(store, stores.blobs),
    )
    watch = WatchServicer(
        WatchService(store, grants, bookmark_s=config.limits.watch_bookmark_s),
        paging,
        watches_max=config.limits.watches_max,
    )
    audit = AuditServicer(AuditService(stores.trail), paging)
    return (
        lambda server: access_service_pb2_grpc.add_AccessServiceServicer_to_server(access, server),
        lambda server: evaluation_service_pb2_grpc.add_EvaluationServiceServicer_to_server(
            evaluation, server
        ),
        lambda server: registry_service_pb2_grpc.add_RegistryServiceServicer_to_server(
            registry, server
        ),
        lambda server: watch_service_pb2_grpc.add_WatchServiceServicer_to_server(watch, server),
        lambda server: audit_service_pb2_grpc.add_AuditServiceServicer_to_server(audit, server),
        artifacts.add_to,
    )


def _registry_services(store: MetadataStore) -> RegistryServices:
    publisher = Publisher(CLOCK, IDS)
    return RegistryServices(
        models=ModelService(store, CLOCK, IDS),
        drafts=DraftService(store, CLOCK, IDS),
        sealing=SealingService(store, CLOCK, IDS, publisher),
        versions=VersionService(store, CLOCK, IDS),
        publishing=PublishingService(store, publisher),
        aliases=AliasService(store, CLOCK, IDS),
        resolving=ResolvingService(store),
    )


def _identity_rule(config: Config) -> IdentityRule:
    return IdentityRule(
        source=NameSource(config.identity.source),
        trust_domains=frozenset(config.identity.trust_domains),
    )


def _share(config: Config) -> Share:
    limits = config.limits
    return Share(
        calls=Rate(limits.calls_per_principal_per_s, limits.calls_at_once_per_principal_max),
        streams_max=limits.streams_per_principal_max,
        under_way_max=limits.calls_under_way_per_principal_max,
    )


def _transfer_limits(config: Config) -> TransferLimits:
    limits = config.limits
    return TransferLimits(
        file_bytes_max=limits.file_bytes_max,
        idle_s=limits.upload_idle_s,
        ttl=timedelta(seconds=limits.upload_ttl_s),
        streams_max=limits.upload_streams_max,
        streams_per_principal_max=limits.upload_streams_per_principal_max,
        bytes_per_s_min=limits.upload_bytes_per_s_min,
    )


def _server_limits(config: Config) -> ServerLimits:
    limits = config.limits
    return ServerLimits(
        transport_message_bytes_max=limits.transport_message_bytes_max,
        metadata_bytes_max=limits.metadata_bytes_max,
        connections_max=limits.connections_max,
        streams_per_connection_max=limits.streams_per_connection_max,
        stream_window_bytes=limits.stream_window_bytes,
        handshake_timeout_s=limits.handshake_timeout_s,
        connection_idle_s=limits.connection_idle_s,
        connection_age_s=limits.connection_age_s,
        connection_age_grace_s=limits.connection_age_grace_s,
        client_ping_interval_s=limits.client_ping_interval_s,
        drain_notice_s=limits.drain_notice_s,
        drain_grace_s=limits.drain_grace_s,
    )
