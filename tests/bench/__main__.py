"""`python -m tests.bench [--quick] [--only NAME]… [--seconds N]`: measure, print a table, write build/bench.json."""

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console

from tests.bench import child, table
from tests.bench.ground import BENCHES, ground

REPETITIONS = 3
FILE = child.ROOT / "build" / "bench.json"


def main() -> None:
    """Repetitions are interleaved: what the machine does meanwhile meets a figure and its anchors alike."""
    arguments = _arguments()
    names = arguments.only or list(BENCHES)
    runs: dict[str, list[float]] = {}
    out, err = Console(width=120), Console(stderr=True)
    with ground(quick=arguments.quick, seconds=arguments.seconds) as at:
        for repetition in range(1 if arguments.quick else REPETITIONS):
            for name in names:
                err.print(f"{name} {repetition + 1}, load {os.getloadavg()[0]:.1f}")
                for measured, value in BENCHES[name](at).items():
                    runs.setdefault(measured, []).append(value)
                table.write(runs, arguments.out)  # what is known stays, whatever happens to the rest
    table.show(runs, out)
    if lost := table.missed(runs):
        sys.exit(f"missed: {', '.join(lost)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hub bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, once: does it run at all?")
    parser.add_argument("--only", action="append", choices=list(BENCHES), help="this measurement; may be repeated")
    parser.add_argument("--seconds", type=int, default=10, help="how long pgbench and the latency runs take")
    parser.add_argument("--out", type=Path, default=FILE, help="where the numbers go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
