"""Stepping back: what fills the cores gives way to what needs one for an instant.

Linux counts niceness only among what it schedules together: one session (autogroup) or one container. Hence two
ways: a thread steps back within its session, a session that is a worker's alone steps back as a whole.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

_STEPS = 10
"""Of 19: the tenth part of what an ordinary thread gets while both want the core."""


def lower_thread_priority() -> None:
    """Lower the priority of this thread; elsewhere than on Linux that would be the whole process."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _STEPS)


def lower_session_priority() -> None:
    """Lower the priority of this process's session where it leads one, on kernels that schedule by session."""
    if sys.platform == "linux" and os.getsid(0) == os.getpid():
        with suppress(OSError):  # no such kernel, or a container that may not
            Path("/proc/self/autogroup").write_text(str(_STEPS))
