"""What becomes of letters: prepared, batched, handed over, printed or spoiled, called back, and once shredded."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID, uuid5

from contracts.ids import LetterId
from contracts.notices import LetterPrepared, LetterPrinted
from kit.handlers import Handlers, Sent, Timer
from kit.store import Ref, Unit
from services.notification_service import alerting, sending
from services.notification_service.channels.print_shop import Entry, Run
from services.notification_service.channels.sms import RETRY, WITHHELD
from services.notification_service.domain.correspondence import Correspondence
from services.notification_service.domain.desk import Desk
from services.notification_service.domain.letters import MOST_SPOILED, Batch, Letter, LetterState, Paper
from services.notification_service.domain.notices import Notice, NoticeState
from services.notification_service.domain.operators import Operator

RUN, PULL, SHRED = "print_run", "pull_list", "shred_letter"
"""Effects beside the writing of a letter; RUN is also the timer that asks for one."""

BATCHES = UUID("0197f000-5a7c-7000-8000-6261746368ed")
"""Space of the ids of batches: a run's batch has the same id, however often it is begun."""

MOST_LETTERS = 500
"""In one batch; what is left goes with the next one at once."""


def batch_id_of(reference: str) -> UUID:
    """The batch of a print run."""
    return uuid5(BATCHES, reference)


def order_run(unit: Unit, reference: str, operator: str) -> UUID:
    """Have everything printed that waits for it, as one batch."""
    batch_id = batch_id_of(reference)
    unit.effect(RUN, reference, {"operator": operator, "batch_id": str(batch_id)})
    return batch_id


def next_run(now: datetime, operator: Operator) -> datetime:
    """The next print run: a working day, at the operator's hour."""
    calendar, local = operator.calendar, operator.calendar.local(now)
    day = local.date()
    if not calendar.is_working(day) or local.time() >= operator.print_at:
        day = calendar.working_day_after(day)
    return calendar.at(day, operator.print_at)


def release(unit: Unit, desk: Desk, case_id: UUID, notice_id: UUID, reference: str) -> Paper | None:
    """The letter of a notice that may be written at this very moment; None if a gate has closed meanwhile."""
    case = unit.get(Correspondence, str(case_id))
    notice = case.notice(notice_id)
    if sending.at_last(unit, desk, case, notice, reference) is None or case.contact is None:
        return None
    paper, text = desk.paper(notice, case, case.contact)
    sending.keep(notice, text)
    return paper


def claim(unit: Unit, batch_id: UUID, operator: str, found: Sequence[tuple[UUID, UUID]], *, more: bool) -> Run:
    """The letters of a batch, those that wait for a run or those that an interrupted run had taken."""
    letters = [(unit.get(Correspondence, str(case_id)), letter_id) for letter_id, case_id in found]
    entries, members = [], []
    for case, letter_id in letters:
        letter = case.letter(letter_id)
        if letter.state is LetterState.PREPARED:
            letter.batch(batch_id)
        if letter.batch_id == batch_id:
            members.append(letter_id)
            if letter.state is LetterState.BATCHED:
                entries.append(_entry(case, letter))
    if members and unit.find(Batch, str(batch_id)) is None:
        unit.add(Batch(batch_id=batch_id, operator=operator, begun_at=unit.now, letters=len(members)))
    return Run(entries, members, more)


def printed(unit: Unit, case: Correspondence, letter: Letter, on: date) -> None:
    """It is on paper and goes out; if it was called back, too late."""
    late = letter.state in (LetterState.PULL_REQUESTED, LetterState.PULLED)
    letter.state, letter.printed_on = LetterState.PRINTED, on
    notice = case.notice(letter.notice_id)
    if late:
        alerting.raise_printed(unit, letter.letter_id, case.case_id)
    case.told.append(LetterPrinted(**notice.of, letter_id=LetterId(letter.letter_id), printed_on=on, pulled_late=late))
    sending.tell(case, notice.sent(None, unit.now, on), notice)  # of one that was called back nothing is told
    sending.record_text(unit, case, notice)


def spoiled(unit: Unit, desk: Desk, case: Correspondence, letter: Letter) -> None:
    """The paper was torn: the same letter is prepared once more, with the same code; the second time it has failed."""
    notice, before = case.notice(letter.notice_id), len(case.letters_of(case.notice(letter.notice_id)))
    letter.state = LetterState.SPOILED
    if before > MOST_SPOILED:
        sending.tell(case, notice.failed("retries_exhausted", unit.now), notice)
    else:
        _prepare(unit, desk, case, notice, letter.sha256, letter.sheets, letter.window_profile, letter.language)


def pull(unit: Unit, case: Correspondence, concerned: Callable[[Notice], bool]) -> None:
    """What is not printed yet shall not go out; the print shop is told of what it has."""
    for letter in case.pull_letters(unit.now, concerned):
        ask_back(unit, case, letter)


def ask_back(unit: Unit, case: Correspondence, letter: Letter) -> None:
    """A line on a pull list."""
    unit.effect(PULL, str(letter.letter_id), {"operator": str(case.operator), "batch_id": str(letter.batch_id)})


def shred(unit: Unit, case: Correspondence) -> None:
    """No letter of this case stays; digests and dates do."""
    for letter in case.letters:
        where = {"operator": str(case.operator), "batch_id": str(letter.batch_id)} if letter.batch_id else {}
        named = {"case_id": str(case.case_id), "letter_id": str(letter.letter_id), "sha256": letter.sha256}
        unit.effect(SHRED, str(letter.letter_id), named | where)


def register(handlers: Handlers, desk: Desk) -> None:
    """What falls due, and what became of each try."""

    @handlers.sent(sending.LETTER, needs=lambda effect, unit: sending.needs_of(unit, effect.payload["case_id"]))
    def record_letter(effect: Sent, unit: Unit) -> None:
        """A letter was written, or could not be."""
        case = unit.get(Correspondence, effect.payload["case_id"])
        notice = case.notice(UUID(effect.payload["notice_id"]))
        if notice.reference == effect.key:
            _record_letter(unit, desk, case, notice, effect)

    @handlers.due(RUN, needs=lambda _, __: ())
    def run_when_due(timer: Timer, unit: Unit) -> None:
        """The print run of an operator's day."""
        order_run(unit, f"{timer.key}T{unit.now:%H:%M:%S}", timer.payload["operator"])

    @handlers.sent(RUN, needs=_needs_of_run)
    def record_run(effect: Sent, unit: Unit) -> None:
        """The batch is with the print shop, or a try failed and another one follows."""
        if effect.state == "done":
            _record_run(unit, effect)


def _record_letter(unit: Unit, desk: Desk, case: Correspondence, notice: Notice, effect: Sent) -> None:
    waits = notice.state is NoticeState.SENDING
    match effect.state:
        case "done" if waits and not case.letters_of(notice):
            said = effect.answer
            profile, language = said["window_profile"], said["language"]
            _prepare(unit, desk, case, notice, str(effect.reference), said["sheets"], profile, language)
        case "done" if not case.letters_of(notice):  # called back while it was being written
            unit.effect(SHRED, notice.reference, {"case_id": str(case.case_id), "sha256": str(effect.reference)})
        case "failed" if effect.cause == WITHHELD:
            if waits:
                sending.dispatch(unit, desk, case, notice)
        case "failed":
            sending.tell(case, notice.failed(effect.cause or "template_error", unit.now), notice)
        case "unknown" if effect.attempts > len(RETRY):
            sending.tell(case, notice.failed("retries_exhausted", unit.now), notice)


def _record_run(unit: Unit, effect: Sent) -> None:
    """What was called back while the batch was written is called back from the print shop, or never went."""
    batch = unit.find(Batch, effect.payload["batch_id"])
    if batch is not None and effect.reference is not None:
        batch.manifest_sha256, batch.handed_over_at = effect.reference, unit.now
    for letter_id in effect.answer["letters"]:
        case = unit.get(Correspondence, letter_id)
        letter = case.letter(UUID(letter_id))
        letter.hand_over()
        if letter.state is LetterState.PULL_REQUESTED:
            ask_back(unit, case, letter)
    for letter_id in effect.answer["left_out"]:
        unit.get(Correspondence, letter_id).letter(UUID(letter_id)).pulled()
    if effect.answer["more"]:
        order_run(unit, f"{effect.key}+", effect.payload["operator"])


def _needs_of_run(effect: Sent, unit: Unit) -> Iterable[Ref]:  # noqa: ARG001 - the form of all needs
    yield Batch, effect.payload["batch_id"]
    for letter_id in (*effect.answer.get("letters", ()), *effect.answer.get("left_out", ())):
        yield Correspondence, letter_id


def _prepare(
    unit: Unit,
    desk: Desk,
    case: Correspondence,
    notice: Notice,
    digest: str,
    sheets: int,
    window_profile: str,
    language: str,
) -> None:
    """A letter waits for the next print run."""
    letter = Letter(
        letter_id=unit.new_id(),
        notice_id=notice.notice_id,
        sha256=digest,
        sheets=sheets,
        window_profile=window_profile,
        language=language,
        prepared_at=unit.now,
    )
    case.letters.append(letter)
    case.told.append(LetterPrepared(**notice.of, letter_id=LetterId(letter.letter_id), sheets=sheets, sha256=digest))
    at = next_run(unit.now, desk.operators.get(case.operator))
    unit.later(RUN, f"{case.operator}/{at:%Y-%m-%d}", at, operator=str(case.operator))


def _entry(case: Correspondence, letter: Letter) -> Entry:
    dialogue = case.dialogue_about(case.notice(letter.notice_id))
    return Entry(
        letter.letter_id,
        case.case_id,
        letter.sheets,
        letter.sha256,
        dialogue.code_hash[:12] if dialogue else "",
        letter.language,
        letter.window_profile,
        case.contact.address.country if case.contact else "",
    )
