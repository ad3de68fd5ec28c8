"""The nodes of a flow: one Struct a type, in one closed union.

A node is a mapping in the flow file whose `type` picks the Struct; its id is the key it stands under.
To add a node type: its Struct here, its function in `engine.interpreter`, its checks in `engine.loading`, a conversation test.
"""

from engine.model.nodes.asking import Ask, Check, Choice, Form
from engine.model.nodes.common import Asked, Common, Reminder, Target, Timeout, Waiting
from engine.model.nodes.pausing import Cause, Wait
from engine.model.nodes.reaching import EmitEvent, Http, OnError, Task
from engine.model.nodes.saying import Message, ShowBlock
from engine.model.nodes.steering import Assign, Call, Case, End, Jump, Share, Split, Switch

Node = Message | ShowBlock | Ask | Choice | Form | Switch | Assign | Split | Call | Jump | Http | Task | Wait | EmitEvent | End
"""Every node there is. `llm`, `approval` and `handoff` take their places here."""

Asking = Ask | Choice | Form
"""The nodes that wait for the customer."""

Pausing = Ask | Choice | Form | Task | Wait
"""The nodes at which a run may stand between two turns until somebody, or the clock, has the next move."""

__all__ = [
    "Ask",
    "Asked",
    "Asking",
    "Assign",
    "Call",
    "Case",
    "Cause",
    "Check",
    "Choice",
    "Common",
    "EmitEvent",
    "End",
    "Form",
    "Http",
    "Jump",
    "Message",
    "Node",
    "OnError",
    "Pausing",
    "Reminder",
    "Share",
    "ShowBlock",
    "Split",
    "Switch",
    "Target",
    "Task",
    "Timeout",
    "Wait",
    "Waiting",
]
