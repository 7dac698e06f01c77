"""Runs the named benchmarks, or all of them, each in a process of its own so that none warms up another."""

from __future__ import annotations

import subprocess
import sys

NAMES = ("ehtag", "translator", "graphql", "v1", "live", "contention", "downloads", "people", "start", "scale")


def main() -> int:
    """Run them in order; 1 when one of them failed."""
    names = sys.argv[1:] or NAMES
    if unknown := set(names) - set(NAMES):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names:
        print(f"\n== {name} ==", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
