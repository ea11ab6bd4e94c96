"""Memory that is freed and wanted again is not fetched from the system anew."""

import platform
import subprocess
import sys

import pytest

CODE = """
import resource
import numpy as np
import demograd

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def work():
    arrays = [np.ones(1 << 19, np.float32) for _ in range(8)]  # 2 MiB each

work()
before = faults()
for _ in range(10):
    work()
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is glibc's")
def test_arrays_of_a_second_step_lie_in_the_memory_of_the_first():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    pages = 10 * 8 * 512  # what ten steps would take anew
    assert int(done.stdout) < pages / 20
