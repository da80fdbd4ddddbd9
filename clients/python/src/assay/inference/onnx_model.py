"""ONNX models, from memory or from a file: their graph names its inputs and outputs itself."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assay.inference import architecture
from assay.v1.facts_pb2 import Facts, Format, Lineage, Signature, TensorSpec

FILE_NAME = "model.onnx"


def describe(model: Any, _sample: Any, directory: Path) -> Facts:
    """Write a ``ModelProto`` to ``directory`` and say what it is; no sample is needed."""
    import onnx

    onnx.save_model(model, str(directory / FILE_NAME))
    weights = {
        tensor.name: (str(tensor.data_type), tuple(tensor.dims))
        for tensor in model.graph.initializer
    }
    operators = {f"node {index}": (node.op_type, ()) for index, node in enumerate(model.graph.node)}
    initial = set(weights)
    return Facts(
        signature=Signature(
            inputs=_specs(value for value in model.graph.input if value.name not in initial),
            outputs=_specs(model.graph.output),
        ),
        format=Format(
            name="onnx",
            version=str(model.ir_version),
            framework=model.producer_name,
            framework_version=model.producer_version,
        ),
        lineage=Lineage(architecture_digest=architecture.of_tensors({**weights, **operators})),
    )


def _specs(values: Iterable[Any]) -> list[TensorSpec]:
    import onnx

    specs = []
    for value in values:
        tensor = value.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
        shape = [axis.dim_value if axis.HasField("dim_value") else -1 for axis in tensor.shape.dim]
        specs.append(
            TensorSpec(name=value.name, dtype="str" if dtype == "object" else dtype, shape=shape)
        )
    return specs
