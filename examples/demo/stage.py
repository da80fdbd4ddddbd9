"""Who plays in the demo: one client per role, and what several steps do with them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import digits as lab
from narration import Narrator

import assay
from assay import LocalRegistry
from assay.v1.evaluation_pb2 import Evaluation
from assay.v1.version_pb2 import ModelVersion

NAMESPACE = "vision"
MODEL = "vision/digits"
CHAMPION = "vision/digits@champion"

CARD = """# Digits

Reads handwritten digits of 8 × 8 grey pixels.

- **Use it** to see how a model registry works. **Do not** sort mail with it.
- Trained on scikit-learn's bundled digits: 1,797 images by 43 writers.
"""


@dataclass
class Stage:
    """One client per role, each with a certificate of its own, and the data."""

    narrator: Narrator
    registry: LocalRegistry
    directory: Path
    data: lab.Digits

    def __post_init__(self) -> None:
        """Give every role its client."""
        self.scientist = self.registry.as_("data-scientist")
        self.evaluator = self.registry.as_("evaluator")
        self.engineer = self.registry.as_("engineer")
        self.consumer = self.registry.as_("consumer")
        self.auditor = self.registry.as_("auditor")
        self.clients = [
            self.scientist, self.evaluator, self.engineer, self.consumer, self.auditor,
        ]  # fmt: skip
        self.test_data = assay.dataset(
            "sklearn:load_digits/test",
            content=[self.data.test_images, self.data.test_labels],
            purpose="evaluation",
        )

    def push(self, model: Any, data: lab.Digits, *, description: str) -> ModelVersion:
        """Push as the data scientist, with what only the author can know."""
        return self.scientist.push(
            model,
            to=MODEL,
            sample=data.train_images[:5],
            card=CARD,
            description=description,
            tags={"team": "vision"},
            datasets=[
                assay.dataset(
                    "sklearn:load_digits/train", content=[data.train_images, data.train_labels]
                )
            ],
        )

    def measure(self, version: ModelVersion) -> tuple[lab.Measured, Evaluation]:
        """Pull, measure and record as the evaluator."""
        pulled = self.evaluator.pull(version, to=self.directory / f"measured-{version.number}")
        measured = lab.measure(lab.open_model(pulled.directory), self.data)
        return measured, self.record(self.evaluator, version, measured)

    def record(
        self, client: assay.Client, version: ModelVersion, measured: lab.Measured
    ) -> Evaluation:
        """Record what was measured, as the caller."""
        return client.evaluate(
            version,
            metrics={
                "accuracy": assay.higher(measured.accuracy, "ratio"),
                "latency_p50": assay.lower(measured.latency_p50_ms, "ms"),
                "latency_p99": assay.lower(measured.latency_p99_ms, "ms"),
            },
            dataset=self.test_data,
            sample_count=measured.sample_count,
            slices=measured.slices,
            evaluator_code_digest=assay.digest_of(Path(lab.__file__)),
        )
