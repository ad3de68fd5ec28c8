"""What drawings look like, by day and by night: a style sheet for pages that show them, and for drawings that stand alone."""

from typing import Final

STYLE: Final = """\
.flow-graph {
  --ground: #fff; --box: #fff; --ink: #1d1f23; --soft: #5f6470; --line: #9aa0ac; --rim: #c9ccd4; --way: #3451d1; --halo: #3451d133;
  --say: #2f6fdd; --ask: #0f7b6c; --steer: #9a5b00; --pause: #8a4bc4; --reach: #b4386f; --flow: #3451d1; --stop: #5f6470;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  .flow-graph {
    --ground: #131417; --box: #1c1e22; --ink: #ececef; --soft: #a3a8b4; --line: #727886; --rim: #3d414a; --way: #8ea4ff; --halo: #8ea4ff40;
    --say: #7fb0ff; --ask: #57cdb9; --steer: #e6ac5c; --pause: #c79bf2; --reach: #f28bb8; --flow: #8ea4ff; --stop: #a3a8b4;
  }
}
.flow-graph .ground { fill: var(--ground); }
.flow-graph .shape { fill: var(--box); stroke: color-mix(in srgb, var(--kind) 45%, var(--rim)); stroke-width: 1.25; }
.flow-graph .bars { fill: none; stroke: color-mix(in srgb, var(--kind) 45%, var(--rim)); stroke-width: 1.25; }
.flow-graph .kind { font-size: 10px; font-weight: 600; letter-spacing: 0.03em; fill: var(--kind); }
.flow-graph .name { font-size: 12.5px; font-weight: 600; fill: var(--ink); }
.flow-graph .text { font-size: 11.5px; fill: var(--soft); }
.flow-graph .edge path { fill: none; stroke: var(--line); stroke-width: 1.4; }
.flow-graph .edge .head { fill: var(--line); stroke: none; }
.flow-graph .edge.dotted path.line { stroke-dasharray: 4 4; }
.flow-graph .label rect { fill: var(--ground); }
.flow-graph .label text { font-size: 11px; fill: var(--soft); }
.flow-graph [data-family="say"] { --kind: var(--say); }
.flow-graph [data-family="ask"] { --kind: var(--ask); }
.flow-graph [data-family="steer"] { --kind: var(--steer); }
.flow-graph [data-family="pause"] { --kind: var(--pause); }
.flow-graph [data-family="reach"] { --kind: var(--reach); }
.flow-graph [data-family="flow"] { --kind: var(--flow); }
.flow-graph [data-family="stop"] { --kind: var(--stop); }
.flow-graph [data-kind="start"] .shape { fill: var(--ink); stroke: none; }
.flow-graph [data-kind="commands"] .shape { stroke-dasharray: 5 4; }
"""
