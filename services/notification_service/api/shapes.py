"""What all routes share: who may ask, how a page is cut, and the forms of what is asked and answered."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict

from kit.auth import Principal, needs
from kit.http import the_store
from kit.store import Store
from services.notification_service import store as queries

TheStore = Annotated[Store, Depends(the_store)]
Reader = Annotated[Principal, Depends(needs("notice:read"))]
Writer = Annotated[Principal, Depends(needs("notice:write"))]
Replier = Annotated[Principal, Depends(needs("reply:handle"))]
Commenter = Annotated[Principal, Depends(needs("case:comment"))]
Keeper = Annotated[Principal, Depends(needs("person:manage"))]
Limit = Annotated[int, Query(ge=1, le=queries.PAGE)]

LetterHandler = Annotated[Principal, Depends(needs("letter:handle"))]


class View(BaseModel):
    """What a route answers."""

    model_config = ConfigDict(defer_build=True, frozen=True, from_attributes=True, use_attribute_docstrings=True)


class Asked(BaseModel):
    """What a route takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
