"""RegistryService: the RPCs of its nouns under one roof."""

from dataclasses import dataclass

from assay.v1 import registry_service_pb2_grpc
from assay_server.services.aliases import AliasService
from assay_server.services.drafts import DraftService
from assay_server.services.models import ModelService
from assay_server.services.publishing import PublishingService
from assay_server.services.resolving import ResolvingService
from assay_server.services.sealing import SealingService
from assay_server.services.versions import VersionService
from assay_server.transport.paging import Paging
from assay_server.transport.registry.aliases import AliasRpcs
from assay_server.transport.registry.drafts import DraftRpcs
from assay_server.transport.registry.models import ModelRpcs
from assay_server.transport.registry.versions import VersionRpcs


@dataclass(frozen=True, slots=True)
class RegistryServices:
    """The use cases behind RegistryService."""

    models: ModelService
    drafts: DraftService
    sealing: SealingService
    versions: VersionService
    publishing: PublishingService
    aliases: AliasService
    resolving: ResolvingService


class RegistryServicer(
    ModelRpcs,
    DraftRpcs,
    VersionRpcs,
    AliasRpcs,
    registry_service_pb2_grpc.RegistryServiceServicer,
):
    """Answers the RPCs of RegistryService."""

    def __init__(self, services: RegistryServices, paging: Paging) -> None:
        ModelRpcs.__init__(self, services.models, paging)
        DraftRpcs.__init__(self, services.drafts, services.sealing, paging)
        VersionRpcs.__init__(
            self, services.versions, services.publishing, services.resolving, paging
        )
        AliasRpcs.__init__(self, services.aliases, paging)
