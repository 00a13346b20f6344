"""From the program's proposal to a plan that was tried in the simulator: correct, round, move hours."""
