"""Answers: what a person said, read as what a wait asked for; pure, and without a clock."""

from engine.interpreter.answers.faults import RULES_WITH_WORDS
from engine.interpreter.answers.folding import option_key
from engine.interpreter.answers.heard import names_option
from engine.interpreter.answers.publishing import published
from engine.interpreter.answers.reading import raw_answer, read_answer
from engine.interpreter.answers.schema import answer_schema

__all__ = ["RULES_WITH_WORDS", "answer_schema", "names_option", "option_key", "published", "raw_answer", "read_answer"]
