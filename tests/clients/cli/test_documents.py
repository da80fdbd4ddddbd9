"""What people write down: gates, measurements, signatures; each fault names its place."""

import json
from pathlib import Path

import pytest

from assay.cli.documents import DocumentInvalid, Table, read_document
from assay.cli.evaluation_files import measurements_of, metrics_of_flags, slices_of_flags
from assay.cli.gate_files import (
    champion_change_of_flag,
    gate_of,
    slice_gap_of_flag,
    threshold_of_flag,
    worst_slice_of_flag,
)
from assay.cli.signature_files import signature_of
from assay.measuring import higher, lower
from assay.v1.gate_pb2 import Comparison

GATE = """
description = "What serving needs."
dataset_digest = "sha256:77"

[[rule]]
id = "good"
threshold = { metric = "accuracy", at_least = 0.95 }
[[rule]]
worst_slice = { metric = "accuracy", at_least = 0.85, dimension = "class" }
[[rule]]
slice_gap = { metric = "accuracy", at_most = 0.12, dimension = "class" }
[[rule]]
champion_change = { metric = "accuracy", worsening_at_most = 0.005, relative = true }
[[rule]]
minimum_samples = { count = 300, per_slice = true }
[[rule]]
trusted_evaluator = { principals = ["spiffe://acme/eve"] }
"""

RESULTS = {
    "dataset": {"uri": "s3://lake/digits-test", "digest": "sha256:77"},
    "sample_count": 360,
    "metrics": {
        "accuracy": 0.97,
        "latency_p99": {"value": 3.1, "better": "lower", "unit": "ms"},
    },
    "slices": {"class": {"8": {"sample_count": 31, "metrics": {"accuracy": 0.87}}}},
}


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_gate_in_toml_becomes_its_rules(tmp_path: Path) -> None:
    gate = gate_of(read_document(written(tmp_path / "gate.toml", GATE)))

    conditions = [rule.WhichOneof("condition") for rule in gate.rules]
    assert conditions == [
        "threshold", "worst_slice", "slice_gap", "champion_change", "minimum_samples",
        "trusted_evaluator",
    ]  # fmt: skip
    assert gate.rules[0].rule_id == "good"
    assert gate.rules[0].threshold.bound == 0.95
    assert gate.rules[3].champion_change.relative
    assert gate.rules[4].minimum_samples.per_slice
    assert [*gate.rules[5].trusted_evaluator.principals] == ["spiffe://acme/eve"]
    assert (gate.dataset_digest, gate.description) == ("sha256:77", "What serving needs.")
    assert len({rule.rule_id for rule in gate.rules}) == 6


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[[rule]]\nthreshhold = {}", "threshhold"),
        ("[[rule]]\nid = 'empty'", "exactly one condition"),
        ("[[rule]]\nthreshold = { metric = 'a', at_lest = 1 }", "at_lest"),
        ("[[rule]]\nthreshold = { at_least = 1 }", "lacks 'metric'"),
        ("[[rule]]\nthreshold = { metric = 'a' }", "at_least or at_most"),
        ("[[rule]]\nminimum_samples = { count = true }", "count must be a whole number"),
        ("[[rule]]\ntrusted_evaluator = { principals = 'eve' }", "list of texts"),
        ("rule = 3", "list of tables"),
        ("rules = []", "unknown key 'rules'"),
        ("[[rule", "gate.toml"),
    ],
)
def test_a_fault_in_a_gate_names_its_place(tmp_path: Path, text: str, place: str) -> None:
    path = written(tmp_path / "gate.toml", text)

    with pytest.raises(Exception, match=place) as caught:
        gate_of(read_document(path))

    assert "\n" not in str(caught.value)


def test_flags_say_the_same_as_a_document() -> None:
    threshold = threshold_of_flag("latency_p99 <= 50").threshold
    worst = worst_slice_of_flag("accuracy@class>=0.85").worst_slice
    gap = slice_gap_of_flag("accuracy@age_band<=0.1").slice_gap
    change = champion_change_of_flag("accuracy=2%").champion_change

    assert (threshold.metric, threshold.bound) == ("latency_p99", 50)
    assert threshold.comparison == Comparison.COMPARISON_AT_MOST
    assert (worst.dimension, worst.comparison) == ("class", Comparison.COMPARISON_AT_LEAST)
    assert (gap.dimension, gap.gap_max) == ("age_band", 0.1)
    assert (change.worsening_max, change.relative) == (0.02, True)
    assert champion_change_of_flag("accuracy").champion_change.worsening_max == 0
    assert champion_change_of_flag("accuracy=0.005").champion_change.worsening_max == 0.005


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (threshold_of_flag, "accuracy"),
        (threshold_of_flag, "accuracy>=high"),
        (threshold_of_flag, "accuracy@class>=0.9"),
        (worst_slice_of_flag, "accuracy>0.9"),
        (slice_gap_of_flag, "accuracy>=0.9"),
        (champion_change_of_flag, "accuracy=x"),
        (champion_change_of_flag, "=1"),
    ],
)
def test_a_flag_that_cannot_be_read_is_refused_with_an_example(read: object, text: str) -> None:
    assert callable(read)

    with pytest.raises(DocumentInvalid, match="--"):
        read(text)


def test_measurements_in_json_become_metrics_and_slices(tmp_path: Path) -> None:
    path = written(tmp_path / "results.json", json.dumps(RESULTS))

    measured = measurements_of(read_document(path))

    assert measured.metrics == {"accuracy": 0.97, "latency_p99": lower(3.1, "ms")}
    assert measured.slices == {"class": {"8": (31, {"accuracy": 0.87})}}
    assert (measured.sample_count, measured.dataset.digest) == (360, "sha256:77")


def test_the_digest_of_a_dataset_may_come_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("abc")
    results = RESULTS | {"dataset": {"uri": "here", "file": str(tmp_path / "test.csv")}}

    measured = measurements_of(Table(results, "results"))

    assert measured.dataset.digest == (
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"sample_count": "many"}, "sample_count must be a whole number, not text"),
        ({"sample_count": None}, "lacks 'sample_count'"),
        ({"dataset": {"uri": "x"}}, "lacks 'digest'"),
        ({"dataset": []}, "must be a table"),
        ({"metrics": {"accuracy": "high"}}, "metrics.accuracy must be a number"),
        ({"metrics": {"x": {"value": 1, "better": "more"}}}, "higher or lower"),
        ({"slices": {"class": {"8": {"metrics": {}}}}}, "8 lacks 'sample_count'"),
        ({"metric": {}}, "unknown key 'metric'"),
    ],
)
def test_a_fault_in_measurements_names_its_place(change: dict[str, object], place: str) -> None:
    with pytest.raises(DocumentInvalid, match=place):
        measurements_of(Table(RESULTS | change, "results"))


def test_metrics_and_slices_as_flags() -> None:
    metrics = metrics_of_flags(["accuracy=0.97", "latency_p99=3.1:ms", "size=5:MiB:higher"])
    slices = slices_of_flags(["class=8 samples=31 accuracy=0.87", "class=9 samples=3 accuracy=1"])

    assert metrics == {
        "accuracy": 0.97, "latency_p99": lower(3.1, "ms"), "size": higher(5, "MiB"),
    }  # fmt: skip
    assert slices == {"class": {"8": (31, {"accuracy": 0.87}), "9": (3, {"accuracy": 1.0})}}


@pytest.mark.parametrize("text", ["accuracy", "accuracy=x", "=1", "speed=3:furlongs"])
def test_a_metric_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(DocumentInvalid):
        metrics_of_flags([text])


def test_the_same_metric_twice_is_refused() -> None:
    with pytest.raises(DocumentInvalid, match="twice"):
        metrics_of_flags(["accuracy=1", "accuracy=0"])


@pytest.mark.parametrize("text", ["class samples=3", "class=8", "class=8 samples=x", ""])
def test_a_slice_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(DocumentInvalid, match="--slice takes"):
        slices_of_flags([text])


def test_a_signature_in_json_becomes_its_tensors() -> None:
    document = {
        "inputs": [{"name": "pixels", "dtype": "float32", "shape": [-1, 64]}],
        "outputs": [{"name": "digit", "dtype": "int64", "shape": [-1]}],
        "parameters": [{"name": "temperature", "dtype": "float32", "optional": True}],
    }

    signature = signature_of(Table(document, "signature.json"))

    assert [*signature.inputs[0].shape] == [-1, 64]
    assert signature.outputs[0].name == "digit"
    assert signature.parameters[0].optional


@pytest.mark.parametrize("shape", ["any", [1.5], [True], [-2]])
def test_a_shape_that_is_none_is_refused(shape: object) -> None:
    document = {"inputs": [{"name": "x", "dtype": "float32", "shape": shape}]}

    with pytest.raises(DocumentInvalid, match="list of lengths"):
        signature_of(Table(document, "signature.json"))


def test_a_document_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentInvalid, match="cannot be read: No such file"):
        read_document(str(tmp_path / "absent.toml"))
