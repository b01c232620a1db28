"""Everybody around the hub in one place: set up, put on stage, counted."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from kit.auth import Scope, Signer
from kit.clock import Clock
from kit.keys import KeyFile
from simulators import facts
from simulators.crew import Desk, Technician
from simulators.dispatcher import Dispatcher
from simulators.erp import Erp
from simulators.facts import OrderFacts
from simulators.line import Line
from simulators.marketplace import Market, Speech, profile_of
from simulators.office import Clerk, Reviewer, Warehouse
from simulators.print_shop.shop import SECRET as PRINT_SHOP_SECRET
from simulators.print_shop.shop import PrintShop
from simulators.prompter import Prompter
from simulators.script import Script
from simulators.sms_gateway.app import asgi
from simulators.sms_gateway.gateway import SmsGateway
from simulators.sms_gateway.script import Callback, Plan, Try
from simulators.sms_gateway.script import Script as Vendor
from simulators.story import Story
from simulators.world import LIMIT, Actor, Person

TECHNICIANS = 6
SMS_KEY, SIGNING_KEY = "demo-gateway-key-of-32-characters", "demo-signing-key-of-32-characters"
ENDED = ("COMPLETED", "CANCELLED", "NOT_FEASIBLE")


def options_for(folder: Path, hub: str, outside: str) -> dict[str, Any]:
    """What the hub must be told so that it finds its counterparties."""
    return {
        "sms_url": f"{outside}/sms",
        "sms_api_key": SMS_KEY,
        "sms_signing_keys": SIGNING_KEY,
        "sms_callback_url": f"{hub}/api/notification/v1/sms/seven/in",
        "print_dir": folder / "print",
        "print_shop_secrets": PRINT_SHOP_SECRET,
        "partner_urls": {
            facts.PARTNER: f"{outside}/erp",
            **{partner: f"{outside}/market/{partner}" for partner in facts.MARKET},
        },
        "market_id": facts.HUB_CODE,
        "partners_dir": folder / "partners",
        "drop_settle_seconds": 0,
    }


class Gateway:
    """The SMS vendor and the customers behind it."""

    name = "gateway"
    rhythm: timedelta | None = None

    def __init__(self, gateway: SmsGateway, clock: Clock) -> None:
        self.gateway, self.clock = gateway, clock

    async def act(self) -> bool:
        return await self.gateway.act(self.clock.now()) > 0

    def next_due(self) -> datetime | None:
        return self.gateway.next_due()


class Printer:
    """The print shop."""

    name = "printer"
    rhythm: timedelta | None = None

    def __init__(self, shop: PrintShop) -> None:
        self.shop = shop

    async def act(self) -> bool:
        return await self.shop.act() > 0

    def next_due(self) -> datetime | None:
        return self.shop.next_due()


@dataclass
class Cast:
    """Who plays, in the order in which they act."""

    actors: list[Actor]
    app: Starlette
    erp: Erp
    market: Market
    gateway: SmsGateway
    print_shop: PrintShop
    script: Script
    prompter: Prompter
    planner: Person
    people: Mapping[str, Person]
    stories: Sequence[Story]

    @property
    def expected_cases(self) -> int:
        """What all stories come to together."""
        return sum(story.cases for story in self.stories)

    def quiet(self) -> bool:
        """No request of theirs is under way, and the hub has taken every file."""
        posting = self.erp.working["posts"] or self.market.working["posts"]
        return not posting and self.erp.taken_in() and self.market.taken_in()

    async def ended(self) -> int:
        """Cases that are over."""
        return _ended(await self.planner.get("/cockpit/v1/counts"))

    async def done(self) -> bool:
        """Nobody outside has anything left to say; no case is open, nor any work that lives on under an ended one."""
        outside = (self.erp, self.market, self.gateway, self.print_shop)
        if any(each.next_due() is not None for each in outside) or not self.script.over:
            return False
        if any(each.owes for each in self.prompter.crew.values()):
            return False
        counts = await self.planner.get("/cockpit/v1/counts")
        at_work = sum(count for state, count in counts["states"].items() if state != "CLOSED")
        return _ended(counts) >= self.expected_cases and not at_work

    async def set_up(self) -> None:
        """Technicians with shifts and phones, vans full of nothing, a store full of meters."""
        rows = [
            f"tech-{number};Technician {number};Auental Metering;{facts.SKILLS};12345;07:30;15:30"
            for number in range(1, TECHNICIANS + 1)
        ]
        header = "user_id;name;company;skills;weekdays;shift_from;shift_to"
        csv = "\n".join([header, *rows, ""]).encode()
        answer = await self.people["anna"].send("/booking/v1/imports/technicians", csv, "text/csv")
        _expect(answer.ok and not answer.body["refused"], answer.body)
        devices = facts.stock(len(self.stories) * 2 + 50, sum(story.plan == "IMSYS" for story in self.stories) * 2)
        answer = await self.people["wilma"].send("/asset/v1/imports/devices", devices, "text/csv")
        _expect(answer.ok and not answer.body["refused"], answer.body)
        found = await self.people["anna"].get("/booking/v1/technicians")
        crew = [self._technician(each) for each in sorted(found["items"], key=lambda each: str(each["user_id"]))]
        for number, each in enumerate(crew):
            body = {"number": f"+4915199{number:06}", "language": "de"}
            answer = await self.people["admin"].put(f"/notification/v1/staff-contacts/{each.technician_id}", json=body)
            _expect(answer.ok, answer.body)
        habits = {"country": "DE", "zone": "Europe/Berlin", "reply_mode": "tolerant"}
        answer = await self.people["admin"].put(f"/booking/v1/calendars/{facts.TOLERANT_OPERATOR}", json=habits)
        _expect(answer.ok, answer.body)
        self.prompter.crew = {each.technician_id: each for each in crew}
        self.actors += [*crew, Desk(crew, self.people["quirin"])]

    def _technician(self, found: Mapping[str, Any]) -> Technician:
        identity = str(found["technician_id"])
        clock, office = self.erp.clock, self.people["anna"]
        scope = Scope("technician", identity)
        person = Person(str(found["user_id"]), "technician", office.http, office.signer, clock, scope)
        number = int(str(found["user_id"]).rpartition("-")[2])
        spare = [facts.new_serial(len(self.stories) * 2 + number)]
        return Technician(person, identity, clock, {each.number: each for each in self.stories}, spare)


@asynccontextmanager
async def cast(
    clock: Clock,
    hub: str,
    signer: Signer,
    folder: Path,
    *,
    told: Sequence[Story],
    seed: int,
    services: Mapping[str, str] | None = None,
    speaks: Mapping[str, Speech] | None = None,
) -> AsyncIterator[Cast]:
    """Put everybody on stage; the hub need not run yet. `services`: addresses of services that run on their own.

    `speaks`: partners of the market that do not speak JSON over HTTP; the hub finds their profiles in `partners_dir`.
    """
    by_number, script = {story.number: story for story in told}, Script(told)
    _introduce(folder / "partners", speaks or {})
    keys = {each: _key(folder, each, clock) for each in (facts.PARTNER, *facts.MARKET)}
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"{hub}/api", timeout=LIMIT, transport=Line(services))
        )
        roles = {"anna": "dispatcher", "quirin": "qa", "mia": "mdm", "wilma": "warehouse", "admin": "admin"}
        roles["max"] = "management"
        people = {name: Person(name, role, http, signer, clock) for name, role in roles.items()}
        notification = (services or {}).get("notification", f"{hub}/api/notification")
        gateway = SmsGateway(
            clock,
            Vendor(seed, numbers={OrderFacts(each.number).phone: _customer(each) for each in told}),
            api_key=SMS_KEY,
            signing_key=SIGNING_KEY,
            callback_url=f"{notification}/v1/sms/seven/in",
        )
        stack.push_async_callback(gateway.close)
        erp = Erp(clock, http, keys[facts.PARTNER], told, folder / "drop")
        print_shop = PrintShop(clock, folder / "print", f"{notification}/v1/batches/{{batch_id}}/receipt")
        stack.push_async_callback(print_shop.close)
        market = Market(clock, http, keys, told, speaks=speaks, drop=folder / "drop")
        prompter = Prompter(script, people, erp, market, clock)
        posts = [
            Route("/erp", erp.take, methods=["POST"]),
            Route("/market/{partner}", market.take, methods=["POST"]),
            Route("/market/{partner}/log", market.show, methods=["GET"]),
        ]
        app = Starlette(routes=[*posts, Mount("/sms", asgi(gateway))])
        actors: list[Actor] = [
            erp,
            market,
            Gateway(gateway, clock),
            Printer(print_shop),
            prompter,
            Clerk(people["mia"], by_number, folder / "partners", script, _newcomers(speaks or {})),
            Dispatcher(people["anna"], clock, by_number, script),
            Warehouse(people["wilma"], clock),
            Reviewer(people["quirin"], by_number, script),
        ]
        yield Cast(actors, app, erp, market, gateway, print_shop, script, prompter, people["anna"], people, told)


def _introduce(folder: Path, speaks: Mapping[str, Speech]) -> None:
    """Tell the hub how partners speak, before it starts; but for those that it is to meet later."""
    folder.mkdir(parents=True, exist_ok=True)
    for partner, speech in speaks.items():
        if partner == facts.NEWCOMER:
            continue
        (folder / f"{partner}.yaml").write_text(profile_of(partner, speech), "utf-8")


def _newcomers(speaks: Mapping[str, Speech]) -> Mapping[str, str]:
    """Profiles of partners of the market that the hub learns of later."""
    return {partner: profile_of(partner, speech) for partner, speech in speaks.items() if partner == facts.NEWCOMER}


def _key(folder: Path, partner: str, clock: Clock) -> str:
    """The key with which a partner hands in its messages."""
    may = ["order:submit", "order:amend", "order:cancel"]
    return KeyFile(folder / "keys.json").add(partner, may, clock.now(), partner)


def _customer(story: Story) -> Sequence[Plan]:
    """What becomes of each text to the customer, and what he writes back."""
    receipts = (Callback(timedelta(seconds=5), status=story.receipt),) if story.receipt else ()
    answers = (Callback(timedelta(hours=hours), text=text) for hours, text in story.replies)
    return (Plan(tuple(map(Try, story.texts)), (*receipts, *answers)),)


def _ended(counts: Mapping[str, Any]) -> int:
    return sum(count for phase, count in counts["phases"].items() if phase in ENDED)


def _expect(held: bool, said: object) -> None:
    if not held:
        raise RuntimeError(f"the stage can't be set up: {said}")
