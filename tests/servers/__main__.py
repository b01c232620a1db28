"""`python -m tests.servers kafka|postgres start|stop|status [--nodes 1|3] [--dir DIR]`."""

import argparse
import subprocess
import sys
from pathlib import Path

from tests.servers.install import Missing
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres
from tests.servers.processes import NotStarted, state_folder

SERVICES = Path(__file__).resolve().parents[2] / "services"


def main() -> None:
    """Start, stop or look at one cluster; a server that is started keeps running."""
    arguments = _arguments()
    folder = arguments.dir or state_folder(arguments.server)
    try:
        cluster = Kafka(folder) if arguments.server == "kafka" else Postgres(folder)
        if arguments.command == "stop":
            cluster.stop()
        elif arguments.command == "start":
            _start(cluster, arguments.nodes)
        _show(cluster)
    except (Missing, NotStarted) as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"this failed: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    parser.add_argument("server", choices=["kafka", "postgres"])
    parser.add_argument("command", choices=["start", "stop", "status"])
    parser.add_argument("--nodes", type=int, choices=[1, 3], default=1, help="Kafka only")
    parser.add_argument(
        "--dir", type=Path, help="folder of the cluster; default: one per repository, among temporary files"
    )
    return parser.parse_args()


def _start(cluster: Kafka | Postgres, nodes: int) -> None:
    """Start it and print the settings that use it; in PostgreSQL every service has a database of its own."""
    if isinstance(cluster, Kafka):
        cluster.start(nodes)
        print(f"HUB_KAFKA__SERVERS={cluster.bootstrap}")
        return
    cluster.start()
    for service in sorted(folder.name for folder in SERVICES.iterdir() if (folder / "app.py").exists()):
        try:
            cluster.create_database(service)
        except NotStarted as error:
            if "already exists" not in str(error):
                raise
    print(f"HUB_DATABASE_URL={cluster.url('{service}')}")


def _show(cluster: Kafka | Postgres) -> None:
    print(f"folder {cluster.folder}")
    for name, address, pid in cluster.status():
        print(f"{name} {address} {f'pid {pid}' if pid else 'does not run'}")


if __name__ == "__main__":
    main()
