"""Coming in and going: the sign-in page only shows a button, the POST behind it consumes the code (SEC-SES-02)."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from kit.auth import open_route
from services.cockpit_service import signing_in
from services.cockpit_service.api.pages import page
from services.cockpit_service.api.views import TheStore
from services.cockpit_service.errors import CodeSpent

router = APIRouter()

ENTRANCE = Depends(open_route("whoever signs in has no session yet; the code is the proof"))
EXIT = Depends(open_route("ends the session whose cookie and page token are sent, whatever its roles"))
FORM_BYTES = 4_096


@router.get("/sign-in", dependencies=[ENTRANCE], response_class=HTMLResponse, include_in_schema=False)
async def show_button(code: Annotated[str, Query(max_length=200)] = "") -> Response:
    """A button; opening the link, as previews do, burns nothing."""
    return page("sign_in.html", code=code, refused=False)


@router.post(
    "/sign-in", dependencies=[ENTRANCE], response_class=HTMLResponse, include_in_schema=False, max_body_size=FORM_BYTES
)
async def enter(request: Request, store: TheStore) -> Response:
    """Consume the code and begin a session."""
    signing_in.refuse_foreign(request)
    try:
        secret = await signing_in.sign_in(store, await _field(request, "code"))
    except CodeSpent as spent:
        return page("sign_in.html", status=spent.status, code="", refused=True)
    response = RedirectResponse("/", 303)
    signing_in.set_cookie(request, response, secret)
    return response


@router.post(
    "/sign-out", dependencies=[EXIT], response_class=HTMLResponse, include_in_schema=False, max_body_size=FORM_BYTES
)
async def leave(request: Request, store: TheStore) -> Response:
    """End the session at once."""
    response = RedirectResponse("/sign-in", 303)
    if secret := signing_in.cookie_of(request):
        signing_in.refuse_foreign(request)
        signing_in.refuse_without_token(secret, await _field(request, "csrf"))
        await signing_in.sign_out(store, secret)
        signing_in.drop_cookie(request, response)
    return response


async def _field(request: Request, name: str) -> str:
    """A field of a form as browsers send it; what cannot be read is an empty one."""
    form = parse_qs((await request.body()).decode("ascii", "replace"), max_num_fields=10)
    return form.get(name, [""])[0]
