"""The print shop's inside: which batches it took, what is on paper, and which receipts are due."""

import base64
import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx

from kit.clock import Clock
from kit.webhooks import sign

MANIFEST, READY = "manifest.csv", "manifest.sha256"
SECRET = f"whsec_{base64.b64encode(b'print-shop-secret-of-32-bytes-000').decode()}"
RETRY = timedelta(minutes=10)


@dataclass(frozen=True)
class Habits:
    """How the shop works. Letters in `spoils` are torn so often before they succeed; those in `ignores` are printed
    although they were called back."""

    takes: timedelta = timedelta(hours=14)
    """From the hand-over to the paper: what comes in the evening is printed the next morning."""
    spoils: Mapping[str, int] = field(default_factory=dict)
    """By the hash of the code, for a letter that is prepared again has a new id."""
    ignores: frozenset[str] = frozenset()
    """Ids of letters."""


@dataclass
class Job:
    """A batch that was taken. `wrong`: what does not fit its manifest; such a batch is not printed."""

    folder: Path
    letters: Sequence[Mapping[str, str]]
    due_at: datetime
    wrong: list[str]

    @property
    def batch_id(self) -> str:
        return self.folder.name


class PrintShop:
    """One shop for all operators. Driven by a clock: `act` looks into the folder and does what is due."""

    def __init__(
        self,
        clock: Clock,
        folder: Path,
        receipt_url: str,
        *,
        secret: str = SECRET,
        habits: Habits | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.clock, self.folder, self.receipt_url, self.secret = clock, folder, receipt_url, secret
        self.habits = habits or Habits()
        self.taken: dict[str, Job] = {}
        """By batch, in the order of taking."""
        self.paper: Counter[str] = Counter()
        """How often each letter went through the printer and out of the house."""
        self.answers: Counter[int] = Counter()
        """Statuses that the hub gave to receipts; 0 where it gave none."""
        self._waiting: list[Job] = []
        self._torn: Counter[str] = Counter()
        self._receipts: list[tuple[datetime, Job, bytes]] = []
        self._client = client

    def next_due(self) -> datetime | None:
        """When something is to be taken, printed, or told again."""
        if self._new():
            return self.clock.now()
        return min([job.due_at for job in self._waiting] + [at for at, _, _ in self._receipts], default=None)

    async def act(self) -> int:
        """Take what is new, print what is due, send the receipts; returns how much was done."""
        now = self.clock.now()
        done = self._take(now)
        for job in [each for each in self._waiting if each.due_at <= now]:
            self._waiting.remove(job)
            self._receipts.append((now, job, self._print(job, now)))
            done += 1
        for receipt in [each for each in self._receipts if each[0] <= now]:
            self._receipts.remove(receipt)
            await self._send(receipt[1], receipt[2], now)
            done += 1
        return done

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _new(self) -> list[Path]:
        """Batches that are complete; what is still being written has no digest yet."""
        ready = sorted(self.folder.glob(f"*/*/{READY}")) if self.folder.is_dir() else []
        return [each.parent for each in ready if each.parent.name not in self.taken]

    def _take(self, now: datetime) -> int:
        new = self._new()
        for folder in new:
            manifest = (folder / MANIFEST).read_bytes()
            letters = list(csv.DictReader(io.StringIO(manifest.decode())))
            wrong = [each["letter_id"] for each in letters if not _fits(folder / each["file"], each["sha256"])]
            if sha256(manifest).hexdigest() != (folder / READY).read_text().strip():
                wrong.append(MANIFEST)
            job = Job(folder, letters, now + self.habits.takes, wrong)
            self.taken[job.batch_id] = job
            self._waiting += [] if wrong else [job]
        return len(new)

    def _print(self, job: Job, now: datetime) -> bytes:
        """The receipt: a line per letter."""
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, lineterminator="\r\n")
        writer.writerow(("letter_id", "status", "printed_on", "sheets"))
        for letter in job.letters:
            writer.writerow((letter["letter_id"], self._fate(job, letter), f"{now:%Y-%m-%d}", letter["sheets"]))
        return lines.getvalue().encode()

    def _fate(self, job: Job, letter: Mapping[str, str]) -> str:
        name, code = letter["letter_id"], letter["code_hash12"]
        called_back = (job.folder.parent / f"pull-{job.batch_id}-{name}.csv").exists()
        if called_back and name not in self.habits.ignores:
            return "pulled"
        if self._torn[code] < self.habits.spoils.get(code, 0):
            self._torn[code] += 1
            return "spoiled"
        self.paper[name] += 1
        return "printed"

    async def _send(self, job: Job, receipt: bytes, now: datetime) -> None:
        """Signed as the hub wants it; what it does not take for the moment is sent again."""
        name, stamp = f"receipt-{job.batch_id}", int(now.timestamp())
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(self.secret, name, stamp, receipt),
            "Content-Type": "text/csv",
        }
        url = self.receipt_url.format(batch_id=job.batch_id)
        try:
            status = (await self._http().post(url, content=receipt, headers=headers)).status_code
        except httpx.TransportError:
            status = 0
        self.answers[status] += 1
        if status == 0 or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            self._receipts.append((now + RETRY, job, receipt))

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=30, trust_env=False)
        return self._client


def _fits(place: Path, digest: str) -> bool:
    """Whether the document is the one that the manifest means."""
    return place.is_file() and sha256(place.read_bytes()).hexdigest() == digest
