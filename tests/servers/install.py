"""What the machine must have: Java, Maven, PostgreSQL's binaries; and where Kafka's jars are kept."""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

KAFKA = "4.3.1"  # 4.4.0 was published without its tools
SCALA = "2.13"
LOG4J = "2.25.4"  # without this binding the broker logs nothing
OLDEST_JAVA = 17
OLDEST_POSTGRES = 15
PACKAGES = {"java": "default-jre-headless", "mvn": "maven", "postgres": "postgresql"}

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>rollout-hub</groupId><artifactId>kafka-server</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_{SCALA}</artifactId><version>{KAFKA}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{KAFKA}</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-api</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>{LOG4J}</version>
    </dependency>
  </dependencies>
</project>
"""


class Missing(RuntimeError):
    """The machine lacks something, and we may not install it. The message names the command that does."""


@cache
def java() -> Path:
    """The java program, version 17 or later."""
    return _find_java() or _installed("java", f"Java {OLDEST_JAVA} or later", _find_java)


@cache
def postgres_binaries() -> Path:
    """The folder with initdb and postgres, version 15 or later."""
    return _find_postgres() or _installed(
        "postgres", f"PostgreSQL {OLDEST_POSTGRES} or later (initdb, postgres)", _find_postgres
    )


@cache
def kafka_jars() -> str:
    """Kafka's class path. The first call on a machine fetches about 46 MB by Maven."""
    folder = cache_folder() / f"kafka-{KAFKA}"
    with locked(cache_folder() / "lock"):
        if not folder.is_dir():
            _fetch_jars(folder)
    return os.pathsep.join(str(jar) for jar in sorted(folder.glob("*.jar")))


def cache_folder() -> Path:
    """What may be fetched again, outside the repository."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "rollout-hub"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Only one process of the machine is in here at a time."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch_jars(folder: Path) -> None:
    java()  # Maven needs it too, and its own message names no remedy
    maven = shutil.which("mvn") or _installed("mvn", "Maven", lambda: shutil.which("mvn"))
    begun = folder.with_suffix(".part")
    shutil.rmtree(begun, ignore_errors=True)
    begun.mkdir()
    pom = begun / "pom.xml"
    pom.write_text(POM)
    print(f"fetching Apache Kafka {KAFKA} by Maven, once", flush=True)
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={begun}"]
    subprocess.run([maven, "-B", "-q", "-f", str(pom), *goal], check=True, cwd=begun)
    begun.rename(folder)


def _find_java() -> Path | None:
    homes = [Path(home) for home in [os.environ.get("JAVA_HOME")] if home]
    found = [home / "bin" / "java" for home in [*homes, *sorted(Path("/usr/lib/jvm").glob("*"))]]
    if on_path := shutil.which("java"):
        found.insert(len(homes), Path(on_path))
    return next((java for java in found if java.is_file() and _java_version(java) >= OLDEST_JAVA), None)


def _java_version(java: Path) -> int:
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    major = re.search(r'version "(\d+)', told)
    return int(major[1]) if major else 0


def _find_postgres() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda folder: -int(folder.parent.name))
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    return next((folder for folder in found if _postgres_version(folder) >= OLDEST_POSTGRES), None)


def _postgres_version(folder: Path) -> int:
    if not (folder / "initdb").is_file() or not (folder / "postgres").is_file():
        return 0
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    major = re.search(r"\) (\d+)", told)
    return int(major[1]) if major else 0


def _installed(what: str, words: str, find: Callable[[], T | None]) -> T:
    """Install what is missing where we may: as root on a Debian system."""
    package = PACKAGES[what]
    command = f"apt-get update && apt-get install -y {package}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Missing(
            f"{words} is missing. On Debian: sudo sh -c '{command}'. Elsewhere install it by your system's way."
        )
    print(f"{words} is missing; installing it: {command}", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        _update_package_lists()
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], check=True, env=quiet)
    except subprocess.CalledProcessError as error:
        raise Missing(f"{words} is missing, and this failed: {command}") from error
    if not (found := find()):
        raise Missing(f"{words} is missing, also after: {command}")
    return found


@cache
def _update_package_lists() -> None:
    subprocess.run(["apt-get", "update", "-qq"], check=True)
