"""What a keyboard sends, put together to lines, and how much room they take on a screen."""

import codecs
import unicodedata
from typing import Final

_END_OF_INPUT, _ESCAPE = "\x04", "\x1b"
_BACK: Final = "\b\x7f"
_ALL, _WORD = "\x15", "\x17"
_LAST_OF_SEQUENCE: Final = range(0x40, 0x7F)


class Keyboard:
    """Edits one line as a terminal does of itself: the last character, the last word and the whole line can be taken back."""

    def __init__(self) -> None:
        self.text = ""
        """What was typed of the line that is not finished."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._sequence = ""

    def feed(self, data: bytes) -> list[str | None]:
        """The lines that are finished with this; None where the input has ended (Ctrl-D at the beginning of a line)."""
        lines: list[str | None] = []
        for mark in self._decoder.decode(data):
            if self._sequence or mark == _ESCAPE:
                self._skip(mark)
            elif mark in "\r\n":
                lines.append(self.text)
                self.text = ""
            elif mark == _END_OF_INPUT:
                lines += [] if self.text else [None]
            else:
                self._edit(mark)
        return lines

    def _edit(self, mark: str) -> None:
        if mark in _BACK:
            self.text = _without_last(self.text)
        elif mark == _ALL:
            self.text = ""
        elif mark == _WORD:
            self.text = self.text.rstrip().rpartition(" ")[0]
            self.text += " " if self.text else ""
        elif mark.isprintable() or mark == "\u200d":
            self.text += mark

    def _skip(self, mark: str) -> None:
        """Keys such as arrows send several characters that mean nothing here."""
        self._sequence += mark
        match self._sequence[1:2]:
            case "":
                return
            case "[" | "O" if len(self._sequence) == 2 or ord(mark) not in _LAST_OF_SEQUENCE:  # noqa: PLR2004 - ESC and the bracket
                return
            case _:
                self._sequence = ""


def rows_below(text: str, columns: int) -> int:
    """How many rows the cursor stands below the first one, once the text was written on a screen of so many columns."""
    row = column = 0
    for mark in text:
        width = _width(mark)
        if column + width > columns:
            row, column = row + 1, 0
        column += width
    return row


def _width(mark: str) -> int:
    if unicodedata.category(mark) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(mark) in {"W", "F"} else 1


def _without_last(text: str) -> str:
    """A character goes with the accents on it."""
    while text and _width(text[-1]) == 0:
        text = text[:-1]
    return text[:-1]
