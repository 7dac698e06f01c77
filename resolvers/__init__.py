"""How a field gets its value: functions of the request's context and the field's arguments, one service call each.

A function that has the name of a root field resolves that field; its docstring is the field's description.
"""
