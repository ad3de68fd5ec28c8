"""The dev room as a table of endpoints; it is no part of the API, and the OpenAPI document tells nothing of it."""

from typing import Final

from api.dev.surface import DevSurface
from api.dev.wire import Way
from api.endpoints import EXECUTION_ID, Endpoint

PREFIX: Final = "/dev"


def dev_endpoints(surface: DevSurface) -> list[Endpoint]:
    """Every endpoint of the dev room."""
    return [
        Endpoint(
            method="GET",
            path=f"{PREFIX}/executions/{{execution_id:str}}/way",
            act=surface.get_way,
            name="getWay",
            summary="Where the execution stands in its flows, and the way it took",
            credential="session",
            answer=Way,
            parameters=(EXECUTION_ID,),
        ),
        Endpoint(
            method="GET",
            path=f"{PREFIX}/flows/{{flow:str}}/{{version:int}}/graph.svg",
            act=surface.get_graph,
            name="getGraph",
            summary="A published version of a flow as an SVG, without its style sheet",
            credential="session",
            answer=str,
            tagged=True,
        ),
        Endpoint(
            method="GET",
            path=f"{PREFIX}/graph.css",
            act=surface.get_style,
            name="getGraphStyle",
            summary="What drawn flows look like",
            answer=str,
            tagged=True,
        ),
    ]
