"""Drawings of a flow: the flow in, text out. `flow_graph` says what there is to draw, `mermaid` and `svg` draw it."""

from engine.loading.drawing.graph import Edge, Graph, Vertex, flow_graph
from engine.loading.drawing.mermaid import draw_mermaid
from engine.loading.drawing.style import STYLE
from engine.loading.drawing.svg import draw_svg

__all__ = ["STYLE", "Edge", "Graph", "Vertex", "draw_mermaid", "draw_svg", "flow_graph"]
