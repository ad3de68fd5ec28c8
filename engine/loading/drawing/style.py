"""What drawings look like, by day and by night: a style sheet for pages that show them, and for drawings that stand alone."""

from typing import Final

STYLE: Final = """\
.flow-graph {
  --graph-ground: #fff; --graph-box: #fff; --graph-ink: #1d1f23;
  --graph-soft: #5f6470; --graph-line: #9aa0ac; --graph-rim: #c9ccd4;
  --graph-say: #2a66cf; --graph-ask: #0f7b6c; --graph-steer: #9a5b00; --graph-pause: #8a4bc4;
  --graph-reach: #b4386f; --graph-flow: #3451d1; --graph-stop: #5f6470;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  .flow-graph {
    --graph-ground: #131417; --graph-box: #1c1e22; --graph-ink: #ececef;
    --graph-soft: #a3a8b4; --graph-line: #727886; --graph-rim: #3d414a;
    --graph-say: #7fb0ff; --graph-ask: #57cdb9; --graph-steer: #e6ac5c; --graph-pause: #c79bf2;
    --graph-reach: #f28bb8; --graph-flow: #8ea4ff; --graph-stop: #a3a8b4;
  }
}
.flow-graph .ground { fill: var(--graph-ground); }
.flow-graph .shape { fill: var(--graph-box); stroke: color-mix(in srgb, var(--graph-kind) 45%, var(--graph-rim)); stroke-width: 1.25; }
.flow-graph .bars { fill: none; stroke: color-mix(in srgb, var(--graph-kind) 45%, var(--graph-rim)); stroke-width: 1.25; }
.flow-graph .kind { font-size: 10px; font-weight: 600; letter-spacing: 0.03em; fill: var(--graph-kind); }
.flow-graph .name { font-size: 12.5px; font-weight: 600; fill: var(--graph-ink); }
.flow-graph .text { font-size: 11.5px; fill: var(--graph-soft); }
.flow-graph .edge path { fill: none; stroke: var(--graph-line); stroke-width: 1.4; }
.flow-graph .edge .head { fill: var(--graph-line); stroke: none; }
.flow-graph .edge.dotted path.line { stroke-dasharray: 4 4; }
.flow-graph .label rect { fill: var(--graph-ground); }
.flow-graph .label text { font-size: 11px; fill: var(--graph-soft); }
.flow-graph [data-family="say"] { --graph-kind: var(--graph-say); }
.flow-graph [data-family="ask"] { --graph-kind: var(--graph-ask); }
.flow-graph [data-family="steer"] { --graph-kind: var(--graph-steer); }
.flow-graph [data-family="pause"] { --graph-kind: var(--graph-pause); }
.flow-graph [data-family="reach"] { --graph-kind: var(--graph-reach); }
.flow-graph [data-family="flow"] { --graph-kind: var(--graph-flow); }
.flow-graph [data-family="stop"] { --graph-kind: var(--graph-stop); }
.flow-graph [data-kind="start"] .shape { fill: var(--graph-ink); stroke: none; }
.flow-graph [data-kind="commands"] .shape { stroke-dasharray: 5 4; }
"""
