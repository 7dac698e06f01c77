"""Changes generated requests: none waits long for a notification that never comes."""

from __future__ import annotations

from typing import Any

import schemathesis

LONGEST_WAIT_S = 0.05


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, object]) -> None:
    """Waits of up to a minute are shortened; invalid waits stay as they are."""
    if not any(parameter.name == "wait" for parameter in case.operation.query):
        return
    query = dict(case.query or {})
    if "wait" not in query:
        case.query = {**query, "wait": 0}
    elif _seconds(query["wait"]) > LONGEST_WAIT_S:
        case.query = {**query, "wait": LONGEST_WAIT_S}


def _seconds(wait: object) -> float:
    """A wait that the server accepts; 0 for anything else."""
    try:
        wait_s = float(str(wait))
    except ValueError:
        return 0.0
    return wait_s if 0 <= wait_s <= 60 else 0.0
