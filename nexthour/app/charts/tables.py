"""Tables as HTML: read aloud, copied and searched like text, which a canvas is not. Cells are escaped.

Left out: tables to be sorted or edited, and Streamlit.
"""

import re
from collections.abc import Sequence
from html import escape

STYLE = """<style>
.nh-scroll {overflow-x: auto; margin: .25rem 0 .75rem 0}
.nh-table {border-collapse: collapse; width: 100%; font-size: .9rem; line-height: 1.35}
.nh-table caption {text-align: left; font-weight: 600; padding: 0 0 .35rem 0; max-width: calc(100vw - 2.5rem)}
.nh-table th, .nh-table td {padding: .4rem .6rem; text-align: right; vertical-align: top;
  border-bottom: 1px solid color-mix(in srgb, currentColor 22%, transparent);
  font-variant-numeric: tabular-nums; white-space: pre}
.nh-table th {font-weight: 600}
.nh-table thead th {white-space: normal; vertical-align: bottom; border-bottom-width: 2px}
.nh-table .nh-text {text-align: left; min-width: 9rem; white-space: normal}
.nh-table tr > :first-child {text-align: left; padding-left: 0}
.nh-table tbody th {font-weight: 500; overflow-wrap: anywhere; min-width: 7rem; white-space: normal}
</style>"""


NUMBER = re.compile(r"\(?[-+]?\$?\d(?!.*[a-z]{4})")
"""An amount, a share or a count, and not a sentence that begins with one."""


def html_table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text under heads; the first cell of a row is its name. Columns without a number are set left; what does
    not fit is not wrapped but where a line is broken.

    The caption is written above, and the table can be scrolled sideways where the screen is narrow.
    """
    words = {i for i, column in enumerate(zip(*rows, strict=True)) if not any(map(NUMBER.match, column))}

    def cells(row: Sequence[str], first: str, others: str) -> str:
        made = []
        for i, text in enumerate(row):
            kind, look = others if i else first, ' class="nh-text"' if i in words else ""
            made.append(f"<{kind}{look}>{escape(text)}</{kind.split()[0]}>")
        return "".join(made)

    column, row_head = 'th scope="col"', 'th scope="row"'
    head = f"<caption>{escape(caption)}</caption>" if caption else ""
    body = "".join(f"<tr>{cells(row, row_head, 'td')}</tr>" for row in rows)
    return (
        f'{STYLE}<div class="nh-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="nh-table">{head}<thead><tr>{cells(heads, column, column)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
