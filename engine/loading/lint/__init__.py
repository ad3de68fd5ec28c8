"""The checks of a whole flow, before anything runs: everything wrong with it that its types cannot tell."""

from engine.loading.findings import Findings
from engine.loading.lint.graph import check_graph
from engine.loading.lint.inputs import check_inputs
from engine.loading.lint.names import check_names
from engine.loading.lint.outline import Outline
from engine.loading.lint.patterns import check_patterns
from engine.loading.lint.payloads import check_payloads
from engine.loading.lint.references import check_references
from engine.loading.lint.schemas import check_schemas
from engine.loading.lint.spots import spots
from engine.loading.lint.templates import check_templates
from engine.loading.lint.texts import check_texts


def check(outline: Outline, findings: Findings) -> None:
    """Reports every problem of one flow, as far as its broken parts let it be seen."""
    check_names(outline, findings)
    check_graph(outline, findings)
    check_inputs(outline, findings)
    check_patterns(outline, findings)
    check_payloads(outline, findings)
    check_schemas(outline, findings)
    found = list(spots(outline))
    check_texts(outline, found, findings)
    reads, whole = check_templates(outline, found, findings)
    check_references(outline, reads, findings, whole=whole)


__all__ = ["check"]
