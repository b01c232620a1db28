"""How fast the hub is: finds the benches beside the source and runs them."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kit.settings import Misconfigured

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str]) -> int:
    """Measure each figure beside its anchors, print a table, write build/bench.json; 1 when a bound is not kept."""
    if not (ROOT / "tests" / "bench" / "__main__.py").exists():
        raise Misconfigured("the benches are part of the repository, not of an installed package")
    command = [sys.executable, "-m", "tests.bench", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - our own module
