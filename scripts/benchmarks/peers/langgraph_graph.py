"""LangGraph: one node for each question, which interrupts; the answer comes back with `Command(resume=...)`, as its documentation has it.

`durability="exit"` writes one checkpoint when the graph stops for the customer: the least that still stores the turn before its reply.
"""

from typing import Any, Final, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from scripts.benchmarks.peers.conversation import ASK_NAME, PARTY, ask_day, ask_guests, told

DURABILITY: Final = "exit"


class Table(TypedDict, total=False):
    """The state."""

    name: str
    guests: int
    day: str
    reply: str


def compiled(saver: Any) -> Any:
    """The graph with its checkpoints kept by the saver."""
    graph = StateGraph(Table)
    graph.add_node("ask_name", lambda _: {"name": interrupt(ASK_NAME)})
    graph.add_node("ask_guests", lambda state: {"guests": interrupt(ask_guests(state["name"]))})
    graph.add_node("ask_party", _ask_day)
    graph.add_node("ask_table", _ask_day)
    graph.add_node("tell", lambda state: {"reply": told(state["name"], state["guests"], state["day"])})
    graph.add_edge(START, "ask_name")
    graph.add_edge("ask_name", "ask_guests")
    graph.add_conditional_edges(
        "ask_guests", lambda state: "ask_party" if state["guests"] > PARTY else "ask_table", ["ask_party", "ask_table"]
    )
    graph.add_edge("ask_party", "tell")
    graph.add_edge("ask_table", "tell")
    graph.add_edge("tell", END)
    return graph.compile(checkpointer=saver)


def asked(conversation: str, said: str | int | None) -> tuple[Any, dict[str, Any]]:
    """What the graph is given, and under which thread."""
    return ({} if said is None else Command(resume=said)), {"configurable": {"thread_id": conversation}}


def reply(result: Any) -> str:
    """What the customer reads."""
    text = result["__interrupt__"][0].value if "__interrupt__" in result else result["reply"]
    return str(text)


def _ask_day(state: Table) -> Table:
    return {"day": interrupt(ask_day(state["guests"]))}
