"""How a field gets its value: one service call each."""
