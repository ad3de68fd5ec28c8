"""SpiffWorkflow: a BPMN process with a user task for each question, its instance serialized into one row with a commit each turn.

The process itself is parsed once and never stored: its serializer is told, as its documentation describes for classes of one's own, to
keep the tasks alone. With the process in every row, as it does by itself, each turn would cost several times as much.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from scripts.benchmarks.peers.bare import durability
from scripts.benchmarks.peers.conversation import ASK_NAME, PARTY, ask_day, ask_guests, told
from scripts.benchmarks.peers.racing import Durability, race_blocking

_PROCESS: Final = f"""\
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    targetNamespace="http://bpmn.io/schema/bpmn" id="definitions">
  <bpmn:process id="book_table" isExecutable="true">
    <bpmn:startEvent id="start"/>
    <bpmn:userTask id="ask_name"/>
    <bpmn:userTask id="ask_guests"/>
    <bpmn:exclusiveGateway id="size" default="to_table"/>
    <bpmn:userTask id="ask_party"/>
    <bpmn:userTask id="ask_table"/>
    <bpmn:exclusiveGateway id="joined"/>
    <bpmn:endEvent id="end"/>
    <bpmn:sequenceFlow id="to_name" sourceRef="start" targetRef="ask_name"/>
    <bpmn:sequenceFlow id="to_guests" sourceRef="ask_name" targetRef="ask_guests"/>
    <bpmn:sequenceFlow id="to_size" sourceRef="ask_guests" targetRef="size"/>
    <bpmn:sequenceFlow id="to_party" sourceRef="size" targetRef="ask_party">
      <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">guests &gt; {PARTY}</bpmn:conditionExpression>
    </bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="to_table" sourceRef="size" targetRef="ask_table"/>
    <bpmn:sequenceFlow id="from_party" sourceRef="ask_party" targetRef="joined"/>
    <bpmn:sequenceFlow id="from_table" sourceRef="ask_table" targetRef="joined"/>
    <bpmn:sequenceFlow id="to_end" sourceRef="joined" targetRef="end"/>
  </bpmn:process>
</bpmn:definitions>
"""
_SAVED: Final = {"ask_name": "name", "ask_guests": "guests", "ask_party": "day", "ask_table": "day"}


class _Tasks(BpmnWorkflowConverter):  # type: ignore[misc] # the peer is not installed where types are checked
    """An instance without its process."""

    process: Any = None

    def to_dict(self, workflow: Any) -> dict[str, Any]:
        kept: dict[str, Any] = super(BpmnWorkflowConverter, self).to_dict(workflow)
        return kept

    def from_dict(self, dct: dict[str, Any]) -> Any:
        workflow = self.target_class(self.process, {}, deserializing=True)
        workflow.tasks = self.mapping_from_dict(dct["tasks"], UUID, workflow=workflow)
        workflow.task_tree = workflow.tasks.get(UUID(dct["root"]))
        self.set_default_attributes(workflow, dct)
        return workflow


class Processes:
    """One instance of the process for each conversation."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE conversation (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID")
        parser = BpmnParser()
        parser.add_bpmn_xml(etree.fromstring(_PROCESS))
        self._process = _Tasks.process = parser.get_spec("book_table")
        self._serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure({**DEFAULT_CONFIG, BpmnWorkflow: _Tasks}))

    def durability(self) -> Durability:
        """Of its only connection."""
        return durability(self._connection)

    def turn(self, conversation: str, said: str | int | None) -> str:
        """Restore the instance, run the user task, go on to the next, serialize, commit."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        if said is None:
            workflow = BpmnWorkflow(self._process)
        else:
            (stored,) = connection.execute("SELECT state FROM conversation WHERE id = ?", (conversation,)).fetchone()
            workflow = self._serializer.from_dict(json.loads(stored))
            task = _next_user_task(workflow)
            task.set_data(**{_SAVED[task.task_spec.name]: said})
            task.run()
        workflow.do_engine_steps()
        state = json.dumps(self._serializer.to_dict(workflow))
        connection.execute("INSERT OR REPLACE INTO conversation VALUES (?, ?)", (conversation, state))
        connection.execute("COMMIT")
        return _reply(workflow)


def _next_user_task(workflow: Any) -> Any:
    return workflow.get_next_task(state=TaskState.READY, manual=True)


def _reply(workflow: Any) -> str:
    if workflow.is_completed():
        data = workflow.last_task.data
        return told(data["name"], data["guests"], data["day"])
    task = _next_user_task(workflow)
    match task.task_spec.name:
        case "ask_name":
            return ASK_NAME
        case "ask_guests":
            return ask_guests(task.data["name"])
        case _:
            return ask_day(task.data["guests"])


@contextmanager
def opened(path: Path) -> Iterator[Processes]:
    """On a new file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield Processes(connection)


if __name__ == "__main__":
    race_blocking(opened)
