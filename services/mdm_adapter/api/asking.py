"""What the routes of the desk have in common: who may, a reason, and how rows become views."""

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, ConfigDict, Field

from kit.auth import Principal, needs
from kit.http import the_store
from kit.store import Store
from services.mdm_adapter.errors import ReasonMissing

REASON_CHARACTERS = 10
Reader = Annotated[Principal, Depends(needs("handover:read"))]
Archivist = Annotated[Principal, Depends(needs("message:read"))]
Resender = Annotated[Principal, Depends(needs("handover:resend"))]
Answerer = Annotated[Principal, Depends(needs("order:answer"))]
Releaser = Annotated[Principal, Depends(needs("message:release"))]
Discarder = Annotated[Principal, Depends(needs("message:discard"))]
MapEditor = Annotated[Principal, Depends(needs("code_map:edit"))]
SettingReader = Annotated[Principal, Depends(needs("setting:read"))]
SettingEditor = Annotated[Principal, Depends(needs("setting:edit"))]
TheStore = Annotated[Store, Depends(the_store)]


class WithReason(BaseModel):
    """Whoever changes the fate of a message says why, in at least 10 characters."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    reason: str = Field("", max_length=500, examples=["The reading was mistyped on site."])

    def said(self) -> str:
        """The reason; raises ReasonMissing."""
        if len(self.reason.strip()) < REASON_CHARACTERS:
            raise ReasonMissing
        return self.reason.strip()


class View(BaseModel):
    """Read from a row of the database."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class StateView(BaseModel):
    """What state it is in now."""

    state: str


class FindingView(View):
    """What is wrong, and where: a segment, an XPath, a JSON pointer, a row and column, or a field of the document."""

    code: str
    position: str = ""
    detail: str = ""
    rule: str | None = None
    line: int | None = None
