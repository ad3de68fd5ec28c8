"""What can be wrong with a request or a flow file, and where."""

from typing import Literal

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One thing wrong with a request: `field` is a JSON Pointer into its body."""

    field: str
    code: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """The problem as `details.errors` lists it."""
        return {"field": self.field, "code": self.code, "message": self.message}


def pointer_step(key: str) -> str:
    """A key as a step of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


class Diagnostic(Struct, frozen=True, order=True):
    """One thing wrong with a flow file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    severity: Literal["error", "warning"]
    code: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.severity} {self.code} {self.message}{hint}"
