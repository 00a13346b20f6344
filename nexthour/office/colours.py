"""Colours that everybody can tell apart (Okabe and Ito 2008), and a grey; each wants a second cue beside it."""

BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#7F7F7F",
)  # fmt: skip
DARK = BLUE, VERMILLION, GREEN, PURPLE
"""The darkest, for lines and bars on white."""
