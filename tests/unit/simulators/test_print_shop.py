"""The print shop takes what is complete and fits, and repeats a receipt until the hub has taken it."""

import csv
import io
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx

from kit.clock import ManualClock
from kit.webhooks import Call, Standard
from simulators.print_shop.shop import SECRET, Habits, PrintShop

EVENING = datetime(2026, 3, 2, 17, tzinfo=UTC)
URL = "https://hub.example/v1/batches/{batch_id}/receipt"


class Hub:
    """Takes receipts, after as many failures as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.receipts, self.calls = failures, list[str](), list[Call]()

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.failures:
            self.failures -= 1
            return httpx.Response(503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.calls.append(Call(request.content, headers))
        self.receipts.append(request.content.decode())
        return httpx.Response(200, json={})


def a_shop(folder: Path, hub: Hub, habits: Habits | None = None) -> PrintShop:
    client = httpx.AsyncClient(transport=httpx.MockTransport(hub.answer))
    return PrintShop(ManualClock(EVENING), folder, URL, habits=habits, client=client)


def a_batch(folder: Path, *, ready: bool = True, digest: str | None = None) -> Path:
    """A batch of one letter."""
    place, content = folder / "nord" / "b-1", b"%PDF-1.7 a letter"
    place.mkdir(parents=True)
    (place / "l-1.pdf").write_bytes(content)
    rows = io.StringIO(newline="")
    writer = csv.writer(rows)
    writer.writerow(("letter_id", "file", "sheets", "sha256", "code_hash12"))
    writer.writerow(("l-1", "l-1.pdf", 1, digest or sha256(content).hexdigest(), "abc"))
    (place / "manifest.csv").write_text(rows.getvalue(), newline="")
    if ready:
        (place / "manifest.sha256").write_text(f"{sha256((place / 'manifest.csv').read_bytes()).hexdigest()}\n")
    return place


async def test_a_batch_is_printed_the_next_morning_and_answered_with_a_signature(tmp_path: Path) -> None:
    hub = Hub()
    shop = a_shop(tmp_path, hub)
    a_batch(tmp_path)
    assert shop.next_due() == EVENING
    await shop.act()
    assert (shop.next_due(), hub.receipts) == (EVENING + timedelta(hours=14), [])
    shop.clock.set(EVENING + timedelta(hours=14))  # type: ignore[attr-defined]
    await shop.act()
    assert hub.receipts[0].splitlines() == ["letter_id,status,printed_on,sheets", "l-1,printed,2026-03-03,1"]
    assert Standard((SECRET,)).check(hub.calls[0], shop.clock.now()) == "receipt-b-1"
    assert (dict(shop.paper), shop.next_due()) == ({"l-1": 1}, None)


async def test_a_batch_without_its_digest_is_not_there_yet(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, Hub())
    a_batch(tmp_path, ready=False)
    assert (await shop.act(), shop.taken, shop.next_due()) == (0, {}, None)


async def test_a_document_that_is_not_the_one_of_the_manifest_stops_its_batch(tmp_path: Path) -> None:
    hub = Hub()
    shop = a_shop(tmp_path, hub, Habits(takes=timedelta()))
    a_batch(tmp_path, digest="0" * 64)
    await shop.act()
    await shop.act()
    assert ([job.wrong for job in shop.taken.values()], hub.receipts, dict(shop.paper)) == ([["l-1"]], [], {})


async def test_a_receipt_is_sent_again_until_it_is_taken_and_the_letter_is_printed_once(tmp_path: Path) -> None:
    hub = Hub(failures=2)
    shop = a_shop(tmp_path, hub, Habits(takes=timedelta()))
    a_batch(tmp_path)
    for minutes in (0, 10, 20):
        shop.clock.set(EVENING + timedelta(minutes=minutes))  # type: ignore[attr-defined]
        await shop.act()
    assert (dict(shop.answers), len(hub.receipts), dict(shop.paper)) == ({503: 2, 200: 1}, 1, {"l-1": 1})


async def test_what_is_called_back_in_time_stays_in_the_house(tmp_path: Path) -> None:
    hub = Hub()
    shop = a_shop(tmp_path, hub, Habits(takes=timedelta()))
    a_batch(tmp_path)
    (tmp_path / "nord" / "pull-b-1-l-1.csv").write_text("letter_id\nl-1\n")
    await shop.act()
    assert ("l-1,pulled" in hub.receipts[0], dict(shop.paper)) == (True, {})
