"""Tuning the allocator."""

import subprocess
import sys

import pytest

from tests.absence import absent

FAULTS = """
import resource
from assay_server.blobstore.allocator import keep_freed_memory
took = keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytes(1 << 20)
before = faults()
for _ in range(200):
    bytearray(1 << 20)
print(took, faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is on Linux only")
def test_a_freed_megabyte_is_used_again_without_page_faults() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True)

    took, faults = done.stdout.split()
    if took == "False":
        absent("glibc", "other C libraries are not tuned")
    assert int(faults) < 1000, "200 MiB mapped anew would be 51,200"
