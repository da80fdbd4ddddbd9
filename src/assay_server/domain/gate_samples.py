"""Rules on the measurement itself: how many samples it had, and who made it."""

from collections.abc import Iterator

from assay_server.domain.evaluations import Evaluation
from assay_server.domain.gate_findings import Judged, Measured
from assay_server.domain.gates import MinimumSamples, TrustedEvaluator


def judge_samples(condition: MinimumSamples, measured: Measured) -> Iterator[Judged]:
    """Hold the sample counts of every evaluation that the other rules used against a least."""
    least = condition.sample_count_min
    required = f"at least {least} samples" + (" in each slice" if condition.per_slice else "")
    evaluations = measured.relied_on
    if not evaluations:
        why = f"{measured.absence('the version')}; needs {required}"
        yield Judged(False, "not measured", required, why)
    for evaluation in evaluations:
        yield _counted(condition, evaluation, required)


def judge_trust(condition: TrustedEvaluator, measured: Measured) -> Iterator[Judged]:
    """Say whether any evaluation counts, now that only trusted ones do."""
    required = "an evaluation by a trusted evaluator"
    if condition.principals:
        required = f"an evaluation by {' or '.join(condition.principals)}"
    evaluation = measured.newest
    if evaluation is None:
        why = "no evaluation of these files counts: needs " + required + ", who is not the author"
        yield Judged(False, "none", required, why)
        return
    why = f"evaluation {evaluation.evaluation_id} was made by {evaluation.created_by}"
    yield Judged(True, evaluation.created_by, required, why, evaluation_id=evaluation.evaluation_id)


def _counted(condition: MinimumSamples, evaluation: Evaluation, required: str) -> Judged:
    """The smallest count decides: that of the whole or, if asked, of the smallest slice."""
    label, count = "", evaluation.sample_count
    if condition.per_slice:
        for part in evaluation.slices:
            if part.sample_count < count:
                label, count = part.label, part.sample_count
    place = f"slice {label}" if label else "the evaluation"
    return Judged(
        count >= condition.sample_count_min,
        str(count),
        required,
        f"{place} has {count} samples, needs {required} (evaluation {evaluation.evaluation_id})",
        slice_label=label,
        evaluation_id=evaluation.evaluation_id,
    )
