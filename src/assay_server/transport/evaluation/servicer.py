"""EvaluationService: the RPCs of its nouns under one roof."""

from assay.v1 import evaluation_service_pb2_grpc
from assay_server.services.evaluations import EvaluationService
from assay_server.services.gates import GateService
from assay_server.transport.evaluation.evaluations import EvaluationRpcs
from assay_server.transport.evaluation.gates import GateRpcs
from assay_server.transport.paging import Paging


class EvaluationServicer(
    EvaluationRpcs, GateRpcs, evaluation_service_pb2_grpc.EvaluationServiceServicer
):
    """Answers the RPCs of EvaluationService."""

    def __init__(self, evaluations: EvaluationService, gates: GateService, paging: Paging) -> None:
        EvaluationRpcs.__init__(self, evaluations, paging)
        GateRpcs.__init__(self, gates, paging)
