"""One real server for all tests of the command line, and a small registry in it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

import assay
from assay import LocalRegistry, contexts, rules
from assay.v1.facts_pb2 import Signature, TensorSpec
from tests.clients.cli.running import CommandLine

MODEL = "vision/digits"
LONG_NAMESPACE = "a-namespace-whose-name-is-rather-long-for-the-people-who-type-it"[:63]
LONG_MODEL = f"{LONG_NAMESPACE}/{'a-model-with-a-name-that-no-screen-of-eighty-columns-will-hold'}"
DATA = assay.dataset("s3://lake/digits-test", digest="sha256:" + "7" * 64)
SIGNATURE = Signature(
    inputs=[TensorSpec(name="pixels", dtype="float64", shape=[-1, 64])],
    outputs=[TensorSpec(name="digit", dtype="int64", shape=[-1])],
)
SIGNATURE_DOCUMENT = {
    "inputs": [{"name": "pixels", "dtype": "float32", "shape": [-1, 64]}],
    "outputs": [{"name": "digit", "dtype": "int64", "shape": [-1]}],
}
_NUMBERS: Iterator[int] = count(1)


@pytest.fixture(scope="session")
def registry() -> Iterator[LocalRegistry]:
    """A real server, with a client for its admin."""
    with assay.local() as registry:
        yield registry


@dataclass(frozen=True)
class Furnished:
    """A registry with two versions: 1 published and champion, 2 measured and too weak."""

    registry: LocalRegistry
    files: Path


@pytest.fixture(scope="session")
def furnished(registry: LocalRegistry, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """What most tests look at; tests that change things use models of their own."""
    files = tmp_path_factory.mktemp("models")
    registry.create_namespace("vision", display_name="Vision")
    registry.create_namespace(LONG_NAMESPACE)
    for model in (MODEL, LONG_MODEL):
        registry.create_model(model, task="image-classification", keywords=["digits"])
    evaluator = registry.as_("evaluator")
    scientist = registry.as_("data-scientist")
    registry.set_gate(
        MODEL,
        "publish",
        rules=[
            rules.threshold("accuracy", at_least=0.9),
            rules.worst_slice("accuracy", at_least=0.8, dimension="class"),
            rules.trusted_evaluator(),
        ],
    )
    for model, number, accuracy in ((MODEL, 1, 0.97), (MODEL, 2, 0.5), (LONG_MODEL, 1, 0.97)):
        directory = files / model.replace("/", "-") / str(number)
        directory.mkdir(parents=True)
        (directory / "model.onnx").write_bytes(bytes([number]) * 4096)
        (directory / "a-file-name-that-is-as-long-as-people-make-them-sometimes.txt").write_text(
            "x"
        )
        version = scientist.push(
            directory,
            to=model,
            signature=SIGNATURE,
            card="# Digits\n\nReads digits.",
            description="For the tests of the command line.",
            hyperparameters={"C": 10 * number},
        )
        evaluator.evaluate(
            version,
            metrics={"accuracy": accuracy},
            dataset=DATA,
            sample_count=100,
            slices={"class": {"8": (40, {"accuracy": accuracy - 0.05})}},
        )
    scientist.publish(f"{MODEL}/1")
    registry.set_alias(f"{MODEL}@champion", 1, expected=0, reason="The first.")
    scientist.publish(f"{LONG_MODEL}/1")
    alias = f"{LONG_MODEL}@an-alias-of-a-length-that-nobody-would-choose"
    registry.set_alias(alias, 1, expected=0, reason="To see whether it fits.")
    return Furnished(registry, files)


@pytest.fixture
def offline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    """The command line of a user without any context."""
    return CommandLine(tmp_path / "config" / "contexts.toml", capsys, monkeypatch)


@pytest.fixture
def cli(furnished: Furnished, offline: CommandLine) -> CommandLine:
    """The command line of a user with a context per role of the furnished registry."""
    contexts.save(
        contexts.load(furnished.registry.contexts_path).with_current("admin"), offline.config
    )
    return offline


@pytest.fixture
def model(cli: CommandLine) -> str:
    """A model of this test's own."""
    name = f"vision/life-{next(_NUMBERS)}"
    assert cli("model", "create", name, "--task", "ocr", "--tag", "team=vision").status == 0
    return name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that could be a model."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights" * 1000)
    return path


@pytest.fixture
def signature(tmp_path: Path) -> str:
    """A signature on disk."""
    path = tmp_path / "signature.json"
    path.write_text(json.dumps(SIGNATURE_DOCUMENT))
    return str(path)
