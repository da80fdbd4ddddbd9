"""Models of frameworks that few have installed: each test names what it needs."""

from pathlib import Path
from typing import Any

import pytest

from assay.inference import objects
from assay.v1.facts_pb2 import Facts

numpy: Any = pytest.importorskip("numpy", reason="install assay-registry-server[demo]")

X = numpy.arange(80, dtype=numpy.float32).reshape(20, 4)
Y = numpy.arange(20) % 2


def summary(facts: Facts) -> tuple[list[Any], list[Any]]:
    def specs(tensors: Any) -> list[Any]:
        return [(tensor.name, tensor.dtype, [*tensor.shape]) for tensor in tensors]

    return specs(facts.signature.inputs), specs(facts.signature.outputs)


def test_a_torch_module_is_stored_as_numbers_without_code(tmp_path: Path) -> None:
    torch: Any = pytest.importorskip("torch", reason="pip install torch safetensors")
    pytest.importorskip("safetensors", reason="pip install safetensors")
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))

    facts = objects.describe(model, torch.zeros(5, 4), tmp_path)

    assert summary(facts) == (
        [("input", "float32", [-1, 4])],
        [("output", "float32", [-1, 2])],
    )
    assert (tmp_path / "model.safetensors").exists()
    assert facts.lineage.architecture_digest
    assert model.training


def test_an_xgboost_booster_is_stored_in_its_own_format(tmp_path: Path) -> None:
    xgboost: Any = pytest.importorskip("xgboost", reason="pip install xgboost")
    params = {"objective": "binary:logistic", "max_depth": 3}
    model = xgboost.train(params, xgboost.DMatrix(X, Y), 2)

    facts = objects.describe(model, X, tmp_path)

    assert summary(facts) == ([("input", "float32", [-1, 4])], [("prediction", "float32", [-1])])
    assert facts.hyperparameters["max_depth"] == "3"
    assert facts.format.name == "xgboost-ubj"
    assert (tmp_path / "model.ubj").exists()


def test_a_wrapper_of_xgboost_is_not_taken_for_scikit_learn(tmp_path: Path) -> None:
    xgboost: Any = pytest.importorskip("xgboost", reason="pip install xgboost")
    pytest.importorskip("sklearn", reason="pip install scikit-learn")
    model = xgboost.XGBClassifier(n_estimators=2).fit(X, Y)

    facts = objects.describe(model, X, tmp_path)

    assert [output[0] for output in summary(facts)[1]] == ["prediction", "probability"]
    assert facts.format.framework == "xgboost"
    assert facts.hyperparameters["n_estimators"] == "2"


def test_a_lightgbm_booster_is_stored_in_its_own_format(tmp_path: Path) -> None:
    lightgbm: Any = pytest.importorskip("lightgbm", reason="pip install lightgbm")
    params = {"objective": "binary", "verbose": -1, "min_data_in_leaf": 1}
    model = lightgbm.train(params, lightgbm.Dataset(X, Y), 2)

    facts = objects.describe(model, X, tmp_path)

    assert summary(facts) == ([("input", "float32", [-1, 4])], [("prediction", "float64", [-1])])
    assert facts.hyperparameters["objective"] == "binary"
    assert (tmp_path / "model.txt").exists()


def test_an_onnx_graph_names_its_interface_itself(tmp_path: Path) -> None:
    onnx: Any = pytest.importorskip("onnx", reason="pip install onnx")
    make, kinds = onnx.helper, onnx.TensorProto
    graph = make.make_graph(
        [make.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [make.make_tensor_value_info("x", kinds.FLOAT, ["n", 4])],
        [make.make_tensor_value_info("y", kinds.FLOAT, ["n", 2])],
        [make.make_tensor("w", kinds.FLOAT, [4, 2], [0.0] * 8)],
    )

    facts = objects.describe(make.make_model(graph), None, tmp_path)

    assert summary(facts) == ([("x", "float32", [-1, 4])], [("y", "float32", [-1, 2])])
    assert facts.lineage.architecture_digest
    assert (tmp_path / "model.onnx").exists()
