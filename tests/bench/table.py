"""What a run must reach, and how it is shown: medians, ranges, verdicts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Target:
    """A bound that a median must keep."""

    must: float
    goal: float
    at_least: bool

    def kept(self, value: float) -> bool:
        return value >= self.must if self.at_least else value <= self.must

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.must:g} (goal {self.goal:g})"


def least(must: float, goal: float) -> Target:
    return Target(must, goal, at_least=True)


def most(must: float, goal: float) -> Target:
    return Target(must, goal, at_least=False)


TARGETS: Mapping[str, Target] = {
    "kernel.ratio_textbook_1": least(30, 50),
    "kernel.ratio_textbook_8": least(15, 25),
    "kernel.ratio_pgbench_32": least(1.3, 2),
    "kernel.batch_50.ratio_textbook_1": least(12, 20),
    "relay.ratio_send_batch": least(0.3, 0.5),
    "embedded.ratio_raw_sqlite": least(0.4, 0.5),
    "embedded.ratio_batch_1": least(8, 8),
    "audit.postgres.ratio": least(0.5, 0.6),
    "audit.sqlite.ratio": least(0.5, 0.6),
    "latency.kafka_200.p99_ms": most(120, 50),
    "latency.kafka_1000.p99_ms": most(150, 100),
    "latency.embedded_200.p99_ms": most(60, 30),
    "bulk.busy_p95_ms": most(500, 100),
    "bulk.ratio_idle": most(3, 2),
    "recovery.seconds": most(15, 12),
    "recovery.static_seconds": most(5, 3),
    "growth.ratio": least(0.7, 0.9),
    "codec.edifact.ratio_pydifact": least(11, 11),
    "codec.edifact.messages_per_s": least(1, 8_000),
    "codec.edifact.streaming_ratio_memory": most(1, 0.5),
    "import.csv.dry_run_10000_s": most(5, 5),
    "codec.xml.ratio_parse_xsd": least(0.28, 0.3),
    "codec.xml.messages_per_s": least(1, 3_000),
    "codec.xml.batch_peak_mb": most(150, 100),
    "up.cold_seconds": most(10, 3),
    "up.restart_seconds": most(5, 5),
    "up.idle_rss_mib": most(170, 110),
}

Runs = Mapping[str, Sequence[float]]


def medians(runs: Runs) -> dict[str, float]:
    """One number per name; a ratio is the median of ratios that were each taken within one repetition."""
    return {name: median(values) for name, values in runs.items()}


def missed(runs: Runs) -> list[str]:
    """Names whose median breaks its bound."""
    return [name for name, value in medians(runs).items() if name in TARGETS and not TARGETS[name].kept(value)]


def show(runs: Runs, console: Console) -> None:
    """Print everything that was measured, what must be kept in its own column."""
    table = Table("measured", box=None, header_style="bold", pad_edge=False)
    for heading in ("median", "lowest", "highest", "must"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for name, values in runs.items():
        target = TARGETS.get(name)
        verdict = "" if target is None else ("kept" if target.kept(median(values)) else "MISSED")
        numbers = [_short(number) for number in (median(values), min(values), max(values))]
        table.add_row(name, *numbers, str(target or ""), verdict)
    console.print(table)


def write(runs: Runs, file: Path) -> None:
    """Flat names to numbers, for those who compare runs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rounded = {name: float(f"{value:.4g}") for name, value in medians(runs).items()}
    file.write_text(json.dumps(rounded, indent=1) + "\n", "utf-8")


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
