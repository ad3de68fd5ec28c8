"""The checks of a whole flow, before anything runs: everything wrong with it that its types cannot tell."""

from engine.loading.findings import Findings
from engine.loading.lint.commands import check_commands
from engine.loading.lint.events import check_events
from engine.loading.lint.failures import check_failures
from engine.loading.lint.graph import check_graph
from engine.loading.lint.inputs import check_inputs
from engine.loading.lint.lists import check_lists
from engine.loading.lint.names import check_names
from engine.loading.lint.outline import Outline
from engine.loading.lint.patterns import check_patterns
from engine.loading.lint.references import check_references
from engine.loading.lint.requests import check_requests
from engine.loading.lint.schemas import check_schemas
from engine.loading.lint.spans import check_spans
from engine.loading.lint.spots import spots
from engine.loading.lint.templates import check_templates
from engine.loading.lint.texts import check_texts
from engine.loading.lint.waits import check_waits
from engine.loading.lint.ways import Ways


def check(outline: Outline, findings: Findings) -> Ways:
    """Reports every problem of one flow by itself, as far as its broken parts let it be seen; returns its graph."""
    check_names(outline, findings)
    found_ways = check_graph(outline, findings)
    check_inputs(outline, findings)
    check_patterns(outline, findings)
    check_waits(outline, findings)
    check_requests(outline, findings)
    check_failures(outline, findings)
    check_events(outline, findings)
    check_commands(outline, findings)
    check_lists(outline, findings)
    check_spans(outline, findings)
    check_schemas(outline, findings)
    found = spots(outline)
    check_texts(outline, found, findings)
    reads, whole = check_templates(outline, found, findings)
    check_references(outline, reads, findings, whole=whole)
    return found_ways


__all__ = ["check"]
