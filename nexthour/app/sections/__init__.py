"""Parts of pages that would make a page too long, or that several pages draw."""
