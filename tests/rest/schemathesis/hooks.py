"""What the run changes of the requests that are made up: none shall wait long for what never comes."""

from __future__ import annotations

from typing import Any

import schemathesis

LONGEST_WAIT_S = 0.05


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, object]) -> None:
    """Waits of up to a minute are shortened; what is no wait stays what it is."""
    if not any(parameter.name == "wait" for parameter in case.operation.query):
        return
    if case.query is None or "wait" not in case.query:
        case.query = {**(case.query or {}), "wait": 0}
    elif isinstance(case.query["wait"], (int, float)) and LONGEST_WAIT_S < case.query["wait"] <= 60:
        case.query["wait"] = LONGEST_WAIT_S
