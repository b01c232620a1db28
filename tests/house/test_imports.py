"""What a process loads: the embedded hub knows no Kafka client, and `hub --help` knows next to nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ("faststream", "aiokafka")
HEAVY = (*SERVERS, "fastapi", "sqlalchemy", "pydantic", "httpx", "alembic", "lxml", "services", "kit", "contracts")
EMBEDDED = """
import tempfile
from hub.house import SERVICES, House, build
from hub import up, verify, doctor
House([build(name, {'data_dir': tempfile.mkdtemp()}) for name in SERVICES])
"""


def loaded(code: str, *names: str) -> set[str]:
    """Which of these packages a fresh interpreter holds after it ran the code."""
    ask = f"{code}\nimport sys\nprint(*{set(names)!r} & {{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_embedded_hub_loads_no_client_of_kafka() -> None:
    assert loaded(EMBEDDED, *SERVERS) == set()


def test_the_embedded_hub_keeps_nothing_in_memory_that_only_a_migration_or_a_single_check_needs() -> None:
    assert loaded(EMBEDDED, "alembic", "jsonschema", "openpyxl") == set()


def test_the_list_of_commands_loads_nothing_heavy() -> None:
    code = "import sys, contextlib, io\nfrom hub.cli import app\n"
    code += "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n    app(['--help'])"
    assert loaded(code, *HEAVY) == set()


@pytest.mark.parametrize("command", ["up", "doctor", "token", "verify", "migrate"])
def test_a_setting_of_one_service_is_known_to_every_command(command: str, tmp_path: Path) -> None:
    arguments = {"up": ["--services", "none"], "token": ["--role", "none"], "migrate": ["db", "--check"]}
    asked = [sys.executable, "-m", "hub", command, *arguments.get(command, []), "--data", str(tmp_path / "hub")]
    environment = {**os.environ, "HUB_MARKET_ID": "9900000001019", "HUB_DROP_SETTLE_SECONDS": "1"}
    done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "there is no setting" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_hub_help_names_the_commands() -> None:
    done = subprocess.run([sys.executable, "-m", "hub", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "verify" in done.stdout


@pytest.mark.parametrize("package", SERVERS)
def test_a_client_of_kafka_that_is_loaded_is_found(package: str) -> None:
    assert loaded(f"import {package}", *SERVERS) >= {package}
