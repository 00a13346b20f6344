"""Many runs: replications, comparisons, intervals, and what if the assumptions are wrong."""
