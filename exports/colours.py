"""Colours that everybody can tell apart (Okabe and Ito 2008), the darkest first; each wants a second cue beside it."""

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
