"""Signatures as people write them down, as JSON or TOML.

{
  "inputs": [{"name": "pixels", "dtype": "float32", "shape": [-1, 64]}],
  "outputs": [{"name": "digit", "dtype": "int64", "shape": [-1]}],
  "parameters": [{"name": "temperature", "dtype": "float32", "optional": true}]
}

-1 stands for any length; without a shape it is a single value.
"""

from assay.cli.documents import DocumentInvalid, Table
from assay.v1.facts_pb2 import Signature, TensorSpec


def signature_of(document: Table) -> Signature:
    """Read a document.

    Raises:
        DocumentInvalid: Something is missing or wrong; the message names the key.
    """
    document.only("inputs", "outputs", "parameters")
    return Signature(
        inputs=[_tensor(each) for each in document.tables("inputs")],
        outputs=[_tensor(each) for each in document.tables("outputs")],
        parameters=[_tensor(each) for each in document.tables("parameters")],
    )


def _tensor(given: Table) -> TensorSpec:
    given.only("name", "dtype", "shape", "optional")
    shape = given.content.get("shape", [])
    is_shape = isinstance(shape, list) and all(type(axis) is int and axis >= -1 for axis in shape)
    if not is_shape:
        raise DocumentInvalid(f"{given.where}.shape must be a list of lengths, -1 for any.")
    return TensorSpec(
        name=given.text("name", None),
        dtype=given.text("dtype", None),
        shape=shape,
        optional=given.truth("optional"),
    )
