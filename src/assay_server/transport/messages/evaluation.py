"""Evaluations on the wire."""

from collections.abc import Iterable

from assay.v1 import evaluation_pb2
from assay_server.domain.errors import InvalidMetric
from assay_server.domain.evaluations import Direction, Evaluation, Metric, Slice
from assay_server.domain.names import evaluation_name
from assay_server.transport.messages import facts
from assay_server.transport.translating.enums import from_enum, to_enum
from assay_server.transport.translating.timestamps import to_timestamp


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


def metrics_of(messages: Iterable[evaluation_pb2.Metric], *, field: str) -> tuple[Metric, ...]:
    """Translate metrics; whether they are finite and different is for the domain to say.

    Raises:
        InvalidMetric: One has no direction.
    """
    return tuple(_metric(message, field) for message in messages)


def slices_of(messages: Iterable[evaluation_pb2.Slice], *, field: str) -> tuple[Slice, ...]:
    """Translate slices."""
    return tuple(
        Slice(
            message.dimension,
            message.value,
            message.sample_count,
            metrics_of(message.metrics, field=f"{field}[{index}].metrics"),
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
