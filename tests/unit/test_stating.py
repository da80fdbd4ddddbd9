"""Facts of a draft: what may be stated, and what is refused by the path of its field."""

from dataclasses import replace
from typing import Any

import pytest

from assay_server.domain.errors import InvalidField
from assay_server.domain.facts import (
    DatasetReference,
    Facts,
    FeatureSetReference,
    Format,
    Lineage,
    Runtime,
    Signature,
    TensorSpec,
)
from assay_server.domain.stating import require_facts

DIGEST = "sha256:" + "a" * 64
FULL = Facts(
    signature=Signature((TensorSpec("x", "float32", (-1, 64)),), (TensorSpec("y", "int64"),)),
    runtime=Runtime("python", "3.11.7", {"numpy": "2.3.1"}, "nvidia-l4"),
    format=Format("joblib", "1.5", "scikit-learn", "1.7"),
    hyperparameters={"C": "1.0", "note": "two\nlines"},
    lineage=Lineage(
        git_commit="a" * 40,
        git_repository="https://example.org/x.git",
        run_uri="mlflow://run/1",
        base_version="namespaces/vision/models/digits/versions/3",
        architecture_digest=DIGEST,
        datasets=(DatasetReference("dvc://digits", DIGEST),),
        feature_sets=(FeatureSetReference("feast", "digits"),),
    ),
)


def lineage(**changes: Any) -> Facts:
    return Facts(lineage=Lineage(**changes))


def inputs(*tensors: TensorSpec) -> Facts:
    return Facts(signature=Signature(tensors, ()))


REFUSED: list[tuple[Facts, str]] = [
    (inputs(TensorSpec("", "float32")), "facts.signature.inputs"),
    (inputs(TensorSpec("x", "")), "facts.signature.inputs['x']"),
    (inputs(TensorSpec("x", "float 32")), "facts.signature.inputs['x']"),
    (inputs(TensorSpec("x", "float32", (-2,))), "facts.signature.inputs['x']"),
    (inputs(TensorSpec("x", "float32", (2**53,))), "facts.signature.inputs['x']"),
    (inputs(TensorSpec("x", "float32", (1,) * 33)), "facts.signature.inputs['x']"),
    (inputs(TensorSpec("x", "int8"), TensorSpec("x", "int8")), "facts.signature.inputs"),
    (inputs(*(TensorSpec(f"x{i}", "int8") for i in range(1025))), "facts.signature.inputs"),
    (Facts(runtime=Runtime(language="py\nthon")), "facts.runtime.language"),
    (Facts(runtime=Runtime(packages={"": "1"})), "facts.runtime.packages"),
    (Facts(format=Format(name="Safe Tensors")), "facts.format.name"),
    (Facts(format=Format(framework="x" * 257)), "facts.format.framework"),
    (Facts(hyperparameters={"a": "\0"}), "facts.hyperparameters['a']"),
    (Facts(hyperparameters={"a": "x" * 4097}), "facts.hyperparameters['a']"),
    (Facts(hyperparameters={f"k{i}": "" for i in range(1025)}), "facts.hyperparameters"),
    (lineage(git_commit="abc"), "facts.lineage.git_commit"),
    (lineage(git_commit="A" * 40), "facts.lineage.git_commit"),
    (lineage(run_uri="x" * 2049), "facts.lineage.run_uri"),
    (lineage(base_version="vision/digits/3"), "facts.lineage.base_version"),
    (lineage(architecture_digest="abc"), "facts.lineage.architecture_digest"),
    (lineage(datasets=(DatasetReference("x", ""),)), "facts.lineage.datasets.digest"),
    (lineage(datasets=(DatasetReference("x", DIGEST),) * 257), "facts.lineage.datasets"),
    (lineage(feature_sets=(FeatureSetReference("", "x"),)), "facts.lineage.feature_sets"),
]


@pytest.mark.parametrize("facts", [Facts(), FULL])
def test_facts_within_their_limits_are_accepted(facts: Facts) -> None:
    assert require_facts(facts) is facts


@pytest.mark.parametrize(("facts", "field"), REFUSED)
def test_a_fact_outside_of_its_limits_is_refused_by_field(facts: Facts, field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        require_facts(facts)

    assert refusal.value.field == field


def test_parameters_and_outputs_are_looked_at_too() -> None:
    bad = (TensorSpec("x", "?"),)

    for part in ("outputs", "parameters"):
        signature = replace(Signature((), ()), **{part: bad})  # type: ignore[arg-type]
        with pytest.raises(InvalidField, match=part):
            require_facts(Facts(signature=signature))
