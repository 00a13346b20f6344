"""The planner's model as a mixed-integer linear program. All of PuLP is here."""
