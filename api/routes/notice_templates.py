"""Notice templates over HTTP: what customers are told in which words."""

from __future__ import annotations

import json

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas.notice_templates import NoticeTemplatesReply, NoticeTemplatesVersion
from engine.errors import NotFound
from engine.notices.document import NoticeDocument

EXAMPLE = {
    "shop_name": "Example Shop",
    "templates": [
        {
            "template": "shipped",
            "language": "de",
            "subject": "Ihre Bestellung {{ order }} ist unterwegs",
            "text": "Hallo {{ name }},\n\nIhr Paket hat die Nummer {{ shipment.tracking_number }}.",
        }
    ],
    "off": ["delivered"],
}


async def put_notice_templates(call: Call[NoticeDocument, NoQuery]) -> Answer:
    """Replaces the words of the shop. Each template is tried on an example first; those left out are allot's own."""
    kept = await call.engine.notices.put(call.body)
    return Answer(value=NoticeTemplatesVersion(version=kept.version))


async def get_notice_templates(call: Call[None, NoQuery]) -> Answer:
    """The words of the shop as they were put; 404 before that."""
    found = await call.engine.notices.current()
    if not found.version:
        raise NotFound("There are no notice templates; put some, or let customers read allot's own.")
    stated = found.document.model_dump(mode="json", exclude_unset=True)
    return Answer(value=json.dumps({"version": found.version, **stated}, ensure_ascii=False).encode())


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/notice-templates",
        summary="Replace the notice templates",
        handler=put_notice_templates,
        body=NoticeDocument,
        reply=NoticeTemplatesVersion,
        scope="notice-templates:write",
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/notice-templates",
        summary="Get the notice templates",
        handler=get_notice_templates,
        reply=NoticeTemplatesReply,
        scope="notice-templates:read",
        refusals=(NotFound,),
    ),
)
