"""What can be told of a live model, and what of files."""

import json
import platform
import struct
import subprocess
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from assay import errors, infer_signature
from assay.inference import architecture, objects
from assay.inference.formats import facts_of_files
from assay.inference.source_code import lineage_of, without_secrets
from assay.transfer.preparing import prepared
from assay.v1.facts_pb2 import Facts, Signature

EXTRA = "scikit-learn is not installed: pip install assay-registry-server[demo]"
pytest.importorskip("sklearn", reason=EXTRA)

import numpy as np  # noqa: E402
from sklearn.cluster import DBSCAN  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.svm import LinearSVC  # noqa: E402

X = np.arange(24, dtype=np.float64).reshape(6, 4)
Y = np.array([0, 1, 0, 1, 0, 1])


def described(model: Any, sample: Any, directory: Path) -> Facts:
    return objects.describe(model, sample, directory)


def specs(signature: Signature, part: str) -> list[tuple[str, str, list[int]]]:
    return [(spec.name, spec.dtype, [*spec.shape]) for spec in getattr(signature, part)]


def test_a_classifier_tells_its_interface_by_trying(tmp_path: Path) -> None:
    model = LogisticRegression().fit(X, Y)

    facts = described(model, X[:2], tmp_path)

    assert specs(facts.signature, "inputs") == [("input", "float64", [-1, 4])]
    assert specs(facts.signature, "outputs") == [
        ("prediction", "int64", [-1]),
        ("probability", "float64", [-1, 2]),
    ]


def test_a_classifier_without_probabilities_has_a_smaller_interface(tmp_path: Path) -> None:
    facts = described(LinearSVC().fit(X, Y), X, tmp_path)

    assert [name for name, _, _ in specs(facts.signature, "outputs")] == ["prediction"]


def test_a_transformer_is_described_by_what_it_makes(tmp_path: Path) -> None:
    facts = described(StandardScaler().fit(X), X, tmp_path)

    assert specs(facts.signature, "outputs") == [("transformed", "float64", [-1, 4])]


def test_a_model_that_only_fits_has_no_interface(tmp_path: Path) -> None:
    assert not described(DBSCAN().fit(X), X, tmp_path).HasField("signature")


def test_without_a_sample_there_is_no_interface(tmp_path: Path) -> None:
    facts = described(LogisticRegression().fit(X, Y), None, tmp_path)

    assert not facts.HasField("signature")
    assert facts.format.name == "joblib"


def test_a_data_frame_gives_its_columns(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="install assay-registry[pandas]")
    frame = pandas.DataFrame({"age": [1, 2, 3], "height": [1.0, 2.0, 3.0]})
    model = LinearRegression().fit(frame, [1.0, 2.0, 3.0])

    facts = described(model, frame, tmp_path)

    assert specs(facts.signature, "inputs") == [
        ("age", "int64", [-1]),
        ("height", "float64", [-1]),
    ]
    assert "pandas" in facts.runtime.packages


def test_the_model_is_stored_and_its_runtime_is_what_loads_it(tmp_path: Path) -> None:
    import joblib

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, Y)

    facts = described(model, X, tmp_path)

    assert (joblib.load(tmp_path / "model.joblib").predict(X) == model.predict(X)).all()
    assert (facts.runtime.language, facts.runtime.language_version) == (
        "python",
        platform.python_version(),
    )
    wanted = {"scikit-learn", "numpy", "scipy", "joblib"}
    assert dict(facts.runtime.packages) == {name: version(name) for name in wanted}
    assert facts.format.framework == "scikit-learn"
    assert facts.format.framework_version == version("scikit-learn")


def test_hyperparameters_are_the_plain_settings(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, Y)

    facts = described(model, X, tmp_path)

    assert facts.hyperparameters["logisticregression__C"] == "0.5"
    assert facts.hyperparameters["standardscaler__with_mean"] == "True"
    assert "logisticregression" not in facts.hyperparameters


def architecture_of(model: Any, directory: Path) -> str:
    return described(model, None, directory).lineage.architecture_digest


def test_a_retrain_with_another_seed_keeps_the_architecture(tmp_path: Path) -> None:
    one = architecture_of(LogisticRegression(random_state=1, verbose=0), tmp_path)
    other = architecture_of(LogisticRegression(random_state=2).fit(X, Y), tmp_path)

    assert one == other
    assert one.startswith("sha256:")


def test_another_setting_class_or_step_is_another_architecture(tmp_path: Path) -> None:
    digests = {
        architecture_of(model, tmp_path)
        for model in (
            LogisticRegression(),
            LogisticRegression(C=2.0),
            LinearSVC(),
            make_pipeline(LogisticRegression()),
            make_pipeline(StandardScaler(), LogisticRegression()),
        )
    }

    assert len(digests) == 5


def test_seeds_inside_a_pipeline_do_not_count(tmp_path: Path) -> None:
    one = architecture_of(make_pipeline(LogisticRegression(random_state=1)), tmp_path)
    other = architecture_of(make_pipeline(LogisticRegression(random_state=2)), tmp_path)

    assert one == other


def test_a_sample_that_does_not_fit_is_explained(tmp_path: Path) -> None:
    with pytest.raises(errors.CannotInfer, match=r"could not be described: X has 3 features"):
        described(LogisticRegression().fit(X, Y), X[:, :3], tmp_path)


def test_an_unknown_object_is_told_how_to_be_pushed(tmp_path: Path) -> None:
    with pytest.raises(errors.CannotInfer, match=r"_thread\.lock.*Save yours to a file"):
        described(threading.Lock(), None, tmp_path)


def test_what_is_made_of_an_object_is_gone_after_the_push() -> None:
    model = LogisticRegression().fit(X, Y)

    with prepared(model, sample=X, follow_links=False, exclude=()) as made:
        (file,) = made.files
        assert (file.path, file.role) == ("model.joblib", "weights")
        assert file.source.exists()

    assert not file.source.exists()


def test_a_sample_beside_a_path_is_refused(tmp_path: Path) -> None:
    preparing = prepared(tmp_path, sample=X, follow_links=False, exclude=())

    with pytest.raises(errors.CannotInfer, match="for files give the signature"):
        preparing.__enter__()


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    preparing = prepared(str(tmp_path / "gone"), sample=None, follow_links=False, exclude=())

    with pytest.raises(errors.UnsafeFile, match=r"no file or directory .*gone"):
        preparing.__enter__()


def test_signatures_are_read_off_arrays_lists_scalars_and_dictionaries() -> None:
    signature = infer_signature(
        {"image": np.zeros((2, 3, 3), np.float32), "text": ["a", "b"]},
        [[1.0, 2.0]],
        parameters={"temperature": 0.5, "top_k": 3, "stop": "."},
    )

    assert specs(signature, "inputs") == [("image", "float32", [-1, 3, 3]), ("text", "str", [-1])]
    assert specs(signature, "outputs") == [("output", "float64", [-1, 2])]
    assert specs(signature, "parameters") == [
        ("temperature", "float64", []),
        ("top_k", "int64", []),
        ("stop", "str", []),
    ]


def test_what_has_no_shape_is_refused() -> None:
    with pytest.raises(errors.CannotInfer, match="which has no shape"):
        infer_signature(object(), [1])


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("model.onnx", "onnx"), ("m.GGUF", "gguf"), ("a.pkl", "pickle"), ("notes.txt", "")],
)
def test_the_format_of_a_file_is_told_by_its_suffix(
    tmp_path: Path, name: str, format_name: str
) -> None:
    (tmp_path / name).write_bytes(b"")

    assert facts_of_files([tmp_path / name]).format.name == format_name


def safetensors(path: Path, tensors: dict[str, Any]) -> Path:
    header = json.dumps(tensors).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def test_the_architecture_of_safetensors_is_its_names_types_and_shapes(tmp_path: Path) -> None:
    entry = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    moved = entry | {"data_offsets": [24, 48]}
    one = facts_of_files([safetensors(tmp_path / "a.safetensors", {"w": entry})])
    same = facts_of_files(
        [safetensors(tmp_path / "b.safetensors", {"w": moved, "__metadata__": {"x": "y"}})]
    )
    other = facts_of_files([safetensors(tmp_path / "c.safetensors", {"v": entry})])

    assert one.format.name == "safetensors"
    assert one.lineage.architecture_digest == architecture.of_tensors({"w": ("F32", [2, 3])})
    assert same.lineage.architecture_digest == one.lineage.architecture_digest
    assert other.lineage.architecture_digest != one.lineage.architecture_digest


@pytest.mark.parametrize("content", [b"", b"12", b"\xff" * 64, struct.pack("<Q", 3) + b"[1]"])
def test_a_file_that_only_claims_to_be_safetensors_has_no_architecture(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)

    assert facts_of_files([tmp_path / "a.safetensors"]).lineage.architecture_digest == ""


def git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    done = subprocess.run(
        ["git", "-C", str(directory), *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_the_commit_of_the_code_is_found_and_changes_are_told(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "train.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "x")
    git(tmp_path, "remote", "add", "origin", "https://me:token@git.example.com/a/b.git")

    clean = lineage_of(tmp_path)
    (tmp_path / "train.py").write_text("2")
    dirty = lineage_of(tmp_path)

    assert clean.git_commit == git(tmp_path, "rev-parse", "HEAD")
    assert clean.git_repository == "https://git.example.com/a/b.git"
    assert (clean.git_dirty, dirty.git_dirty) == (False, True)


def test_where_there_is_no_repository_nothing_is_said(tmp_path: Path) -> None:
    lineage = lineage_of(tmp_path)

    assert lineage.git_commit == lineage.git_repository == ""


@pytest.mark.parametrize(
    "url", ["git@github.com:a/b.git", "https://git.example.com/a@b", "/srv/git/a.git", ""]
)
def test_a_repository_without_secrets_is_left_as_it_is(url: str) -> None:
    assert without_secrets(url) == url
