"""``assay-server`` under a profiler that SIGUSR1 starts and SIGUSR2 ends, writing to ``PROFILE``.

It counts the processor time of the event loop's thread: waiting costs nothing. What the thread
took in all goes to ``PROFILE.total``; what no Python function took of it is gRPC's core, the
event loop, and the profiler.
"""

import cProfile
import os
import signal
import time
from pathlib import Path

from assay_server.cli import main


class Profiling:
    """One profile after another, each from its signal to the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._profile = cProfile.Profile(time.thread_time)
        self._began_s = 0.0
        signal.signal(signal.SIGUSR1, self.begin)
        signal.signal(signal.SIGUSR2, self.end)

    def begin(self, *_: object) -> None:
        """Forget what was, and profile."""
        self._profile = cProfile.Profile(time.thread_time)
        self._began_s = time.thread_time()
        self._profile.enable()

    def end(self, *_: object) -> None:
        """Write what was taken; the profile last, and whole."""
        self._profile.disable()
        total = self._path.with_suffix(".total")
        total.write_text(str(time.thread_time() - self._began_s))
        part = self._path.with_suffix(".part")
        self._profile.dump_stats(part)
        part.replace(self._path)


if __name__ == "__main__":
    Profiling(Path(os.environ["PROFILE"]))
    main()
