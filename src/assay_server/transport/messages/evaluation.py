"""Evaluations on the wire."""

from collections.abc import Iterable
from datetime import UTC, datetime

from assay.v1 import evaluation_pb2
from assay_server.domain.errors import InvalidMetric
from assay_server.domain.evaluating import require_evaluation
from assay_server.domain.evaluations import Direction, Evaluation, Metric, Slice, Trust
from assay_server.domain.manifest import require_digest
from assay_server.domain.names import VersionName, evaluation_name
from assay_server.transport.messages import facts
from assay_server.transport.translating.enums import from_enum, to_enum
from assay_server.transport.translating.timestamps import to_timestamp

_NOT_YET = datetime.min.replace(tzinfo=UTC)
"""Stands for the time of recording until the service knows it."""


def to_message(evaluation: Evaluation) -> evaluation_pb2.Evaluation:
    """Translate for an answer."""
    return evaluation_pb2.Evaluation(
        name=evaluation_name(
            evaluation.namespace_id,
            evaluation.model_id,
            evaluation.number,
            evaluation.evaluation_id,
        ),
        dataset=facts.dataset_message(evaluation.dataset),
        metrics=map(_metric_message, evaluation.metrics),
        slices=map(_slice_message, evaluation.slices),
        sample_count=evaluation.sample_count,
        manifest_digest=evaluation.manifest_digest,
        evaluator_code_digest=evaluation.evaluator_code_digest,
        runtime=facts.runtime_message(evaluation.runtime),
        trust=to_enum(evaluation.trust, evaluation_pb2.Trust),
        created_by=evaluation.created_by,
        create_time=to_timestamp(evaluation.create_time),
        description=evaluation.description,
        tags=evaluation.tags,
    )


def from_message(message: evaluation_pb2.Evaluation, version: VersionName) -> Evaluation:
    """Translate and check what a request states of ``version``.

    What only the server knows (id, trust, maker, time) is left open for the service to fill in.

    Raises:
        InvalidMetric: A metric is not finite, is named twice, or has no direction.
        InvalidField: Something else is over its limit or breaks its grammar.
    """
    if message.manifest_digest:
        require_digest(message.manifest_digest, field="evaluation.manifest_digest")
    return require_evaluation(
        Evaluation(
            *version,
            evaluation_id="",
            dataset=facts.dataset_of(message.dataset, field="evaluation.dataset"),
            metrics=_metrics(message.metrics, "metrics"),
            slices=_slices(message.slices),
            sample_count=message.sample_count,
            manifest_digest=message.manifest_digest,
            evaluator_code_digest=message.evaluator_code_digest,
            runtime=facts.runtime_of(message.runtime),
            trust=Trust.SELF_REPORTED,
            created_by="",
            create_time=_NOT_YET,
            description=message.description,
            tags=dict(message.tags),
        )
    )


def _metrics(messages: Iterable[evaluation_pb2.Metric], field: str) -> tuple[Metric, ...]:
    return tuple(_metric(message, field) for message in messages)


def _slices(messages: Iterable[evaluation_pb2.Slice]) -> tuple[Slice, ...]:
    return tuple(
        Slice(
            message.dimension,
            message.value,
            message.sample_count,
            _metrics(message.metrics, f"slices[{index}].metrics"),
        )
        for index, message in enumerate(messages)
    )


def _metric(message: evaluation_pb2.Metric, field: str) -> Metric:
    if not message.direction:
        raise InvalidMetric(
            message.metric, "its direction is not said; is higher or lower better?", field=field
        )
    direction = from_enum(
        message.direction, evaluation_pb2.Direction, Direction, field=f"{field}.direction"
    )
    return Metric(message.metric, message.value, direction, message.unit)


def _metric_message(metric: Metric) -> evaluation_pb2.Metric:
    return evaluation_pb2.Metric(
        metric=metric.name,
        value=metric.value,
        direction=to_enum(metric.direction, evaluation_pb2.Direction),
        unit=metric.unit,
    )


def _slice_message(part: Slice) -> evaluation_pb2.Slice:
    return evaluation_pb2.Slice(
        dimension=part.dimension,
        value=part.value,
        sample_count=part.sample_count,
        metrics=map(_metric_message, part.metrics),
    )
