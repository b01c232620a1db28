"""`python -m tests.fuzz [--inputs N] [--seed N] [--only DIALECT]`: each dialect in a process of its own."""

import argparse
import subprocess
import sys

from tests.fuzz.dialects import DIALECTS
from tests.fuzz.running import run

PEAK_MB, SLOWEST_MS = 200, 50


def main() -> int:
    """Fuzz one dialect, or start a process for each of them."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(DIALECTS))
    arguments = parser.parse_args()
    if arguments.only is None:
        options = ["--inputs", str(arguments.inputs), "--seed", str(arguments.seed)]
        command = [sys.executable, "-m", "tests.fuzz", *options, "--only"]
        return max(subprocess.run([*command, dialect], check=False).returncode for dialect in DIALECTS)
    done = run(arguments.only, arguments.inputs, arguments.seed)
    sys.stdout.write(f"{done}\n")
    is_good = not done.opened and done.peak_mb <= PEAK_MB and done.slowest_ms_per_10_kb < SLOWEST_MS
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
