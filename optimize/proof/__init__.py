"""How good a plan is and how we know: certificate, reasons, this year against the next."""
