"""Opting out of mails over HTTP, by the signed link in each of them: in one click of a mail program, or by a page."""

from __future__ import annotations

from api import customer_pages as pages
from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.tracking import TOKEN, engine_of
from api.schemas.tracking import CustomerPage
from engine.errors import NotFound
from engine.notices.links import OPT_OUT

_FORMS = {"application/x-www-form-urlencoded": "List-Unsubscribe=One-Click", "multipart/form-data": ""}


async def show_opt_out(call: Call[None, NoQuery]) -> Answer:
    """A page with a button; looking at it changes nothing, since mail programs look at links too."""
    return await _page(call, is_done=False)


async def opt_out(call: Call[bytes, NoQuery]) -> Answer:
    """Send no more mails to the address that the link came to. Again: the same."""
    return await _page(call, is_done=True)


async def _page(call: Call[None, NoQuery] | Call[bytes, NoQuery], *, is_done: bool) -> Answer:
    try:
        engine = engine_of(call)
        term = await engine.links.read(OPT_OUT, call.path["token"], engine.clock.now())
    except NotFound:
        if b"text/html" not in call.heads.get(b"accept", b""):
            raise
        return Answer(value=pages.no_link_page(), status=404, media_type=pages.HTML, headers=pages.HEADERS)
    if is_done:
        await engine.customers.opt_out(term)
    shop_name = (await engine.notices.current()).document.shop_name
    page = pages.opt_out_page(shop_name, is_done=is_done)
    return Answer(value=page, media_type=pages.HTML, headers=pages.HEADERS)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/opt-outs/{token}",
        summary="Ask whether to stop mails",
        handler=show_opt_out,
        reply=CustomerPage,
        scope=None,
        answers=pages.HTML,
        refusals=(NotFound,),
        path_examples=TOKEN,
    ),
    Endpoint(
        method="POST",
        path="/v1/opt-outs/{token}",
        summary="Stop mails to an address",
        handler=opt_out,
        body=bytes,
        takes=_FORMS,
        reply=CustomerPage,
        scope=None,
        answers=pages.HTML,
        refusals=(NotFound,),
        path_examples=TOKEN,
    ),
)
