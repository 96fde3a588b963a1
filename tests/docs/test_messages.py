"""The page of messages is the code's."""

from __future__ import annotations

from pathlib import Path

from api.messages_page import page

DOCS = Path(__file__).parents[2] / "docs/reference/messages.md"


def test_the_page_of_messages_has_every_message_of_an_orders_life() -> None:
    """Catches a message that was added, or reworded, and is not in the documentation."""
    assert DOCS.read_text(encoding="utf-8") == page(), (
        "make it anew: python -m api.messages_page > docs/reference/messages.md"
    )
