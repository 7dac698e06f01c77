"""How often things happen, in seconds; tests hand in shorter ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds between what the life cycle does by itself."""

    heartbeat_s: float = 3.0
    """A worker says that it lives, and looks for others that do not."""
    lease_s: float = 10.0
    """A worker that has said nothing for so long is dead; with the heartbeat well under the promised 30 s."""
    reconcile_s: float = 15.0
    """Records are compared with the queue, and staging folders with records."""
    sweep_s: float = 1.0
    """Files whose time has come go."""
    progress_s: float = 0.125
    """Least time between two writes of a download's progress."""
    live_s: float = 0.34
    """Least time between two messages to one watcher: three a second, and room for the end, which never waits."""
    hold_s: float = 30.0
    """A file that is being sent is held for so long, again and again."""
    retry_s: float = 0.5
    """Longest wait before Redis is tried again, with jitter."""
    handover_s: float = 5.0
    """How long an ending worker tries to hand its downloads over."""
