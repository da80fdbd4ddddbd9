"""Evaluations: what was measured of a version."""

from collections.abc import AsyncGenerator, Mapping

from assay import names
from assay.measuring import Metrics, Slices, metrics_of, slices_of
from assay.v1 import evaluation_service_pb2 as rpc
from assay.v1.evaluation_pb2 import Evaluation
from assay.v1.facts_pb2 import DatasetPurpose, DatasetReference, Runtime
from assay.verbs.session import Session


class EvaluationVerbs(Session):
    """Record measurements and read them."""

    async def evaluate(
        self,
        version: str | names.Named,
        *,
        metrics: Metrics,
        dataset: DatasetReference,
        sample_count: int,
        slices: Slices = (),
        evaluator_code_digest: str = "",
        runtime: Runtime | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Evaluation:
        """Record what was measured of a version; gates decide by it.

        Args:
            version: ``vision/digits/7``, or what resolves to a version.
            metrics: By name; see ``assay.higher`` and ``assay.lower``.
            dataset: What it was measured on; see ``assay.dataset``.
            sample_count: How many samples that has.
            slices: The same for parts: ``{"class": {"8": (174, {"recall": 0.93})}}``.

        Raises:
            InvalidMetric: A metric is NaN, infinite, duplicate, or its direction is unknown.
        """
        subject = DatasetReference()
        subject.CopyFrom(dataset)
        if subject.purpose == DatasetPurpose.DATASET_PURPOSE_UNSPECIFIED:
            subject.purpose = DatasetPurpose.DATASET_PURPOSE_EVALUATION
        request = rpc.ImportEvaluationRequest(
            parent=await self._version_name(version),
            evaluation=Evaluation(
                dataset=subject,
                metrics=metrics_of(metrics),
                slices=slices_of(slices),
                sample_count=sample_count,
                evaluator_code_digest=evaluator_code_digest,
                runtime=runtime,
                description=description,
                tags=tags,
            ),
        )
        answer = await self._calls.write(self.stubs.evaluations.ImportEvaluation, request)
        return answer.evaluation

    async def get_evaluation(self, evaluation: str | names.Named, *, as_of: int = 0) -> Evaluation:
        """Read one evaluation, if it was there at the revision ``as_of``."""
        request = rpc.GetEvaluationRequest(name=names.text_of(evaluation), as_of=as_of)
        answer = await self._calls.read(self.stubs.evaluations.GetEvaluation, request)
        return answer.evaluation

    async def list_evaluations(
        self, version: str | names.Named, *, as_of: int = 0
    ) -> AsyncGenerator[Evaluation, None]:
        """List the evaluations of a version, newest first: all, or those up to ``as_of``."""
        parent = await self._version_name(version, as_of=as_of)
        request = rpc.ListEvaluationsRequest(parent=parent, as_of=as_of)
        listing = self.stubs.evaluations.ListEvaluations
        async for evaluation in self._calls.pages(listing, request, lambda page: page.evaluations):
            yield evaluation
