"""Protoc plugin that answers with what grpcio-tools' built-in ``grpc_python`` generator makes.

That generator lives inside the grpcio-tools wheel, where buf cannot call it. buf speaks the plugin
protocol to this program (a CodeGeneratorRequest on stdin, a CodeGeneratorResponse on stdout), and
this program hands the same descriptors to the built-in generator.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def generate(request: plugin_pb2.CodeGeneratorRequest) -> plugin_pb2.CodeGeneratorResponse:
    """Generate the stubs of the files that declare a service; the others would be empty."""
    response = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    asked_for = set(request.file_to_generate)
    names = [f.name for f in request.proto_file if f.name in asked_for and f.service]
    if not names:
        return response
    with tempfile.TemporaryDirectory() as directory:
        descriptors = Path(directory, "request.binpb")
        out = Path(directory, "out")
        out.mkdir()
        descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        arguments = ["protoc", f"--descriptor_set_in={descriptors}", f"--grpc_python_out={out}"]
        if protoc.main([*arguments, *names]) != 0:
            response.error = "grpc_python could not generate; its messages are above"
            return response
        for path in sorted(out.rglob("*.py")):
            response.file.add(name=path.relative_to(out).as_posix(), content=path.read_text())
    return response


if __name__ == "__main__":
    incoming = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(generate(incoming).SerializeToString())
