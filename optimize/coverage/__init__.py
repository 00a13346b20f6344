"""Gap analysis: who sees what of each segment, what would help, how each partner is treated, territories added up."""
