"""The commands of a flow: each says what it does, and no word means two of them."""

from engine.interpreter.answers import option_key
from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import Outline
from engine.loading.lint.waits import check_one_of
from engine.loading.tree import Items, Leaf, Pairs
from engine.model.flow import Command


def check_commands(outline: Outline, findings: Findings) -> None:
    """Reports commands that do nothing or two things, and words that are taken, or that nobody can say."""
    part = outline.root.get("commands")
    words: dict[str, int] = {}
    for number, command in enumerate(part.items if isinstance(part, Items) else ()):
        seen = outline.seen(command)
        if seen is not None and isinstance(seen.value, Command):
            check_one_of(command, command.start, ("next", "reply"), findings, doubtful=not seen.knows("next", "reply"))
        said = command.get("say") if isinstance(command, Pairs) else None
        for leaf in said.items if isinstance(said, Items) else ():
            if isinstance(leaf, Leaf) and isinstance(leaf.value, str) and "{{" not in leaf.value:
                _check_word(leaf, leaf.value, number, words, findings)


def _check_word(leaf: Leaf, word: str, number: int, words: dict[str, int], findings: Findings) -> None:
    key = option_key(word)
    if not key:
        findings.add("value.wrong", leaf.start, "a blank is nothing that anybody says")
    elif key in words:
        findings.add("command.duplicate", leaf.start, f"{shown(word)} means the same as a word of command {words[key] + 1}")
    words.setdefault(key, number)
