"""What outlives a click: the state in the address, saved scenarios and plans, computed results."""
