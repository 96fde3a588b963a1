"""A sheet of paper to write on, from top to bottom: text, rules, tables that go on over the page.

The bytes follow from what is written: no clock, no chance. Letters that the printer's own fonts do not have lose their
accents, or become question marks. Not here: what is written.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from engine.fulfillment.addresses import Address

MARGIN = 48.0
PLAIN, BOLD = "Helvetica", "Helvetica-Bold"
GREY = 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: its head, its width in points, and whether it is flush right, as numbers are."""

    head: str
    width: float
    is_right: bool = False


class Sheet:
    """Pages of one document; `y` is how far it is written."""

    def __init__(self, title: str, *, is_letter: bool) -> None:
        self.width, self.height = map(float, LETTER if is_letter else A4)
        self._buffer = io.BytesIO()
        self._canvas = Canvas(self._buffer, pagesize=(self.width, self.height), invariant=1, pageCompression=1)
        self._canvas.setTitle(printable(title))
        self._title, self._page, self.y = title, 1, self.height - MARGIN

    @property
    def inner(self) -> float:
        """The width between the margins, in points."""
        return self.width - 2 * MARGIN

    def text(
        self, text: str, *, x: float = 0.0, size: float = 9.0, font: str = PLAIN, grey: float = 0.0, right: bool = False
    ) -> None:
        """Write a line at `y`, `x` points from the left margin, or ending there if it is flush `right`."""
        shown = printable(text)
        at = MARGIN + x - (stringWidth(shown, font, size) if right else 0)
        self._canvas.setFillGray(grey)
        self._canvas.setFont(font, size)
        self._canvas.drawString(at, self.y, shown)
        self._canvas.setFillGray(0)

    def down(self, points: float) -> None:
        """Go on so much lower."""
        self.y -= points

    def rule(self, *, weight: float = 0.5, x: float = 0.0) -> None:
        """Draw a line from `x` to the right margin."""
        self._canvas.setLineWidth(weight)
        self._canvas.line(MARGIN + x, self.y, self.width - MARGIN, self.y)

    def block(self, head: str, lines: Sequence[str], *, x: float, width: float) -> float:
        """Write lines under a small grey head, at most so wide, and return where they end; `y` stays."""
        top = self.y
        self.text(head.upper(), x=x, size=6.5, grey=GREY)
        for line in (part for text in lines for part in fitted_lines(text, width - 12, 9.5)):
            self.down(12)
            self.text(line, x=x, size=9.5)
        end, self.y = self.y, top
        return end

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Write rows under heads, which stand on every page that they go on over."""
        self._heads(columns)
        for row in rows:
            cells = [fitted_lines(cell, column.width - 6, 9) for cell, column in zip(row, columns, strict=True)]
            high = 13 * max(len(cell) for cell in cells) + 4
            if self.y - high < MARGIN + 30:
                self.turn()
                self._heads(columns)
            top, x = self.y, 0.0
            for cell, column in zip(cells, columns, strict=True):
                self.y = top
                for line in cell:
                    self.down(13)
                    at = x + (column.width - 2 if column.is_right else 0)
                    self.text(line, x=at, size=9, right=column.is_right)
                x += column.width
            self.y = top - high
            self._canvas.setStrokeGray(0.85)
            self.rule(weight=0.4)
            self._canvas.setStrokeGray(0)

    def turn(self) -> None:
        """Go on on the next page."""
        self._foot()
        self._canvas.showPage()
        self._page, self.y = self._page + 1, self.height - MARGIN
        self.text(self._title, size=8, grey=GREY)
        self.down(18)

    def room(self, points: float) -> None:
        """Turn the page unless there is so much room."""
        if self.y - points < MARGIN + 30:
            self.turn()

    def done(self) -> bytes:
        """Return the document."""
        self._foot()
        self._canvas.save()
        return self._buffer.getvalue()

    def _heads(self, columns: Sequence[Column]) -> None:
        x = 0.0
        for column in columns:
            at = x + (column.width - 2 if column.is_right else 0)
            self.text(column.head, x=at, size=7.5, font=BOLD, grey=GREY, right=column.is_right)
            x += column.width
        self.down(5)
        self.rule(weight=0.8)

    def _foot(self) -> None:
        self.y = MARGIN - 14
        self.text(self._title, size=7.5, grey=GREY)
        self.text(f"page {self._page}", x=self.inner, size=7.5, grey=GREY, right=True)


def printable(text: str) -> str:
    """Return a text in letters that every printer has."""
    return "".join(_letter(letter) for letter in text)


def fitted_lines(text: str, width: float, size: float, font: str = PLAIN) -> list[str]:
    """Return a text in lines of at most a width, broken between words, or within one that is longer."""
    lines, line = [], ""
    for word in printable(text).split() or [""]:
        rest = word
        if line and stringWidth(f"{line} {word}", font, size) <= width:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        while stringWidth(rest, font, size) > width and len(rest) > 1:
            cut = next(n for n in range(len(rest) - 1, 0, -1) if n == 1 or stringWidth(rest[:n], font, size) <= width)
            lines.append(rest[:cut])
            rest = rest[cut:]
        line = rest
    return [*lines, line]


def shown_address(address: Address) -> list[str]:
    """Return an address as it is written, or that nobody has said it."""
    return address.lines or ["(no address)"]


def _letter(letter: str) -> str:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
        return plain or {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i"}.get(letter, "?")
    return letter if letter.isprintable() else " "
