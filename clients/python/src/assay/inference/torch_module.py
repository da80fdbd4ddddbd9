"""Modules of PyTorch, stored as safetensors: names and numbers, no code."""

from pathlib import Path
from typing import Any

from assay.errors import CannotInfer
from assay.inference import architecture, signatures
from assay.inference.runtimes import runtime_of, version_of
from assay.v1.facts_pb2 import Facts, Format, Lineage, Signature

FILE_NAME = "model.safetensors"


def describe(model: Any, sample: Any, directory: Path) -> Facts:
    """Write the parameters to ``directory`` and say what the module is."""
    try:
        from safetensors.torch import save_model
    except ImportError as error:
        raise CannotInfer(
            "Storing a PyTorch module needs safetensors: pip install safetensors. Or save it "
            "yourself and push the file."
        ) from error
    save_model(model, str(directory / FILE_NAME))
    tensors = {
        name: (str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, tensor in model.state_dict().items()
    }
    return Facts(
        signature=None if sample is None else _signature(model, sample),
        runtime=runtime_of(model, ["torch", "safetensors"]),
        format=Format(
            name="safetensors",
            version=version_of("safetensors"),
            framework="pytorch",
            framework_version=version_of("torch"),
        ),
        lineage=Lineage(architecture_digest=architecture.of_tensors(tensors)),
    )


def _signature(model: Any, sample: Any) -> Signature:
    """What goes in and comes out, by trying, without gradients and without training."""
    import torch

    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            outputs = model(**sample) if isinstance(sample, dict) else model(sample)
    finally:
        model.train(was_training)
    if isinstance(outputs, tuple | list):
        outputs = {f"output_{index}": output for index, output in enumerate(outputs)}
    return signatures.infer_signature(sample, outputs)
