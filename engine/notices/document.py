"""The notice templates of a tenant as one document: words of their own in place of ours, and what is not sent.

Templates are Jinja, in a sandbox. Not here: writing letters with them (letters.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Template = Literal["order_confirmed", "shipped", "delayed", "delivered", "refunded", "cancelled"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NoticeTemplate(_Part):
    """The words of one notice, in one language or in all that have none of their own."""

    template: Template
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = Field(
        default=None, description="For customers of this language, such as de; left out: for all others."
    )
    subject: Annotated[str, Field(min_length=1, max_length=400)]
    text: Annotated[str, Field(min_length=1, max_length=20_000)]


class NoticeDocument(_Part):
    """What customers are told in which words."""

    shop_name: Annotated[str, Field(max_length=200)] = Field(default="", description="Whose notices they are.")
    templates: Annotated[tuple[NoticeTemplate, ...], Field(max_length=200, strict=False)] = ()
    off: Annotated[tuple[Template, ...], Field(max_length=6, strict=False)] = Field(
        default=(), description="Notices that are not sent to anybody."
    )
