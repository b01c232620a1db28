"""What an answer to an order lacks, a person brings: the text or the facts that its code demands."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from kit.problems import refusals
from kit.store import Unit
from services.mdm_adapter.api.asking import Answerer, StateView, TheStore
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.documents.answer import AnswerFacts
from services.mdm_adapter.errors import AnswerGiven, AnswerIncomplete
from services.mdm_adapter.owing import complete_answer, needs_answer


class WithMore(BaseModel):
    """What stands beside the code of an answer: the text that it demands, or the facts."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"facts": {"right_partner": "9900357000003"}}]}
    )

    text: str | None = Field(None, min_length=1, max_length=1_000)
    facts: AnswerFacts | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "WithMore":
        if self.text is None and not (self.facts and self.facts.model_dump(exclude_none=True)):
            raise ValueError("a text, or facts: at least one of them")
        return self


def routes(desk: Desk) -> APIRouter:
    """The route of those who complete an answer."""
    router = APIRouter(tags=["messages"])

    @router.post("/v1/orders/{order_key}/answer-text", responses=refusals(AnswerGiven, AnswerIncomplete))
    async def answer_text(order_key: str, request: WithMore, answerer: Answerer, store: TheStore) -> StateView:
        """The text or the facts that the code of a decided answer demands; with them the answer leaves."""

        def command(unit: Unit) -> StateView:
            complete_answer(unit, desk, order_key, request.text, request.facts)
            return StateView(state="answered")

        return await store.run(answerer, command, needs=lambda unit: needs_answer(order_key, unit))

    return router
