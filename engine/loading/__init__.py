"""Flow files: from YAML text to checked flows, with a line and a column for every problem. Nothing here touches a disk.

`load_flow` and `load_flows` make flows; `read_yaml` and `decode` read any other YAML file into Structs the same way;
`flow_schema` is for editors; `CODES` is the table of all that can be wrong.
"""

from engine.loading.codes import CODES, Code
from engine.loading.decode import Vocabulary, decode
from engine.loading.flows import Loaded, load_flow, load_flows
from engine.loading.reader import read_yaml
from engine.loading.schema import flow_schema
from engine.loading.tree import Source, Tree

__all__ = ["CODES", "Code", "Loaded", "Source", "Tree", "Vocabulary", "decode", "flow_schema", "load_flow", "load_flows", "read_yaml"]
