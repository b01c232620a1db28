"""`python -m simulators.print_shop`: the shop as a process of its own, which prints all that it gets."""

import argparse
import asyncio
from datetime import timedelta
from pathlib import Path

from kit.clock import clock_of
from simulators.print_shop.shop import SECRET, Habits, PrintShop

LOOK_SECONDS = 1.0


async def work(shop: PrintShop) -> None:
    """Look, print and answer until stopped."""
    try:
        while True:
            await shop.act()
            await shop.clock.wait_until(shop.next_due(), LOOK_SECONDS)
    finally:
        await shop.close()


def main() -> None:
    """Options instead of settings: this is no part of the hub."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path, help="HUB_PRINT_DIR of the hub")
    options.add_argument(
        "--receipt-url", default="http://127.0.0.1:8080/api/notification/v1/batches/{batch_id}/receipt"
    )
    options.add_argument("--secret", default=SECRET, help="the hub's HUB_PRINT_SHOP_SECRETS")
    options.add_argument("--minutes", type=int, default=1, help="from the hand-over to the paper")
    options.add_argument("--clock", type=Path, help="file with the instant that is now")
    given = options.parse_args()
    habits = Habits(takes=timedelta(minutes=given.minutes))
    shop = PrintShop(clock_of(given.clock), given.folder, given.receipt_url, secret=given.secret, habits=habits)
    asyncio.run(work(shop))


if __name__ == "__main__":
    main()
