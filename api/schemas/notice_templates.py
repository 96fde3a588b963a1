"""The wire form of notice templates: the document with its version."""

from __future__ import annotations

from api.schemas.fields import Reply
from engine.notices.document import NoticeDocument


class NoticeTemplatesReply(NoticeDocument):
    """The notice templates as they were put: what they state, and nothing that they leave out."""

    version: int


class NoticeTemplatesVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int
