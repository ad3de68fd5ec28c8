"""Where a run goes from a visited node: to the next, into another flow or back from it, to a wait, or to the end of its turn.

Every function gives the step that ends the turn, or None where the next node is to be visited.
"""

from engine.errors import ExpressionError
from engine.interpreter.ending import calling, finished, suspended
from engine.interpreter.outcomes import Done, Enter, Go, LimitPassed, NodeFailed, Outcome, Perform, Suspend
from engine.interpreter.visiting import visit
from engine.interpreter.walk import Walk
from engine.model.effects import Step
from engine.model.nodes import Call, Http, Node, OnError, Target, Task
from engine.model.values import END, Json


def go_on(walk: Walk, ended: Step | None) -> Step:
    """Visit node after node until the run waits, calls or ends."""
    while ended is None:
        ended = _one_visit(walk)
    return ended


def _one_visit(walk: Walk) -> Step | None:
    node = walk.node
    try:
        _count_visit(walk)
        if node.progress is not None:
            walk.progress = node.progress
        return follow(walk, visit(walk, node))
    except ExpressionError as error:
        return fail_node(walk, NodeFailed(error.code, str(error)))
    except NodeFailed as failure:
        return fail_node(walk, failure)


def _count_visit(walk: Walk) -> None:
    walk.arrive()
    walk.steps += 1
    if walk.steps > walk.limits.steps:
        raise LimitPassed("limit.steps", f"more than {walk.limits.steps} nodes were visited in one turn")


def follow(walk: Walk, outcome: Outcome, *, continued: bool = False) -> Step | None:
    """Follow the outcome of a visit; None when the next node is to be visited."""
    match outcome:
        case Go(target=target, edge=edge):
            walk.left(edge, target, continued=continued)
            if target == END:
                return _frame_done(walk, Done({}))
            walk.frame.node = target
            return None
        case Suspend(pause=pause, edge=edge):
            walk.left(edge, continued=continued)
            return suspended(walk, pause)
        case Perform(invoke=invoke):
            walk.left("calls")
            return calling(walk, invoke)
        case Enter():
            _entered(walk, outcome)
            return None
        case Done():
            walk.left("ends")
            return _frame_done(walk, outcome)


def _entered(walk: Walk, entered: Enter) -> None:
    walk.left("calls" if entered.comes_back else "jumps")
    if not entered.comes_back:
        walk.pop()
    walk.push(entered.script, entered.inputs)


def _frame_done(walk: Walk, done: Done) -> Step | None:
    """The flow has come to its end: its result is its outputs with the end node's result laid over them; a caller takes it and goes on."""
    if done.failed is not None:
        return _frame_failed(walk, NodeFailed(done.failed, "the flow ended as failed"))
    try:
        result: dict[str, Json] = {**walk.value(walk.frame.script.flow.outputs), **done.result}
    except ExpressionError as error:
        return _frame_failed(walk, NodeFailed(error.code, str(error)))
    caller = _back(walk)
    if caller is None:
        return finished(walk, "completed", "completed", result=result)
    _keep(walk, caller, result)
    return follow(walk, Go(caller.next), continued=True)


def expire_frame(walk: Walk) -> Step | None:
    """Nobody answered the frame that moves, and it has no branch for that: a caller goes on, the root is aborted."""
    walk.left("expired", continued=True)
    unsaid = dict.fromkeys(walk.frame.script.flow.outputs)
    caller = _back(walk)
    if caller is None:
        return finished(walk, "aborted", "expired")
    if caller.on_expired is not None:
        _keep(walk, caller, None)
        return follow(walk, Go(caller.on_expired, "expired"), continued=True)
    _keep(walk, caller, unsaid)
    return follow(walk, Go(caller.next), continued=True)


def fail_node(walk: Walk, failure: NodeFailed, *, continued: bool = False) -> Step | None:
    """Take the node's branch for failures, if it has one and the failure is no passed bound of the run; else the frame fails."""
    frame, node = walk.frame, walk.node
    failure.node = failure.node or frame.node
    frame.variables["error"] = {"code": failure.code, "message": str(failure), "node": failure.node, "status": failure.status}
    branch = None if isinstance(failure, LimitPassed) else _branch_for(node, failure)
    if branch is None:
        walk.left(f"error:{failure.code}", continued=continued)
        return _frame_failed(walk, failure)
    if isinstance(node, Call):
        _keep(walk, node, None)
    return follow(walk, Go(branch, f"error:{failure.code}"), continued=continued)


def _frame_failed(walk: Walk, failure: NodeFailed) -> Step | None:
    """The same failure befalls the call that opened the frame; at the root, or where a bound was passed, the run fails."""
    failure.node = failure.node or walk.frame.node
    if isinstance(failure, LimitPassed) or _back(walk) is None:
        return finished(walk, "failed", "failed", code=failure.code)
    return fail_node(walk, failure, continued=True)


def _branch_for(node: Node, failure: NodeFailed) -> Target | None:
    match node:
        case Http() | Task():
            return _by_code(node.on_error, failure)
        case Call():
            return node.on_failed
        case _:
            return None


def _by_code(on_error: OnError | None, failure: NodeFailed) -> Target | None:
    """The branch for exactly this status, for its class, for the code, or for all others."""
    if not isinstance(on_error, dict):
        return on_error
    status = () if failure.status is None else (str(failure.status), f"{failure.status // 100}xx")
    return next((on_error[key] for key in (*status, failure.code, "other") if key in on_error), None)


def _back(walk: Walk) -> Call | None:
    """Close the frame that moves; gives the call that opened it, None (and nothing is closed) at the root."""
    if len(walk.frames) == 1:
        return None
    walk.pop()
    return walk.node if isinstance(walk.node, Call) else None


def _keep(walk: Walk, caller: Call, result: dict[str, Json] | None) -> None:
    walk.frame.nodes[walk.frame.node] = result or {}
    if caller.save is not None:
        walk.frame.variables[caller.save] = result
