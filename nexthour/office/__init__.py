"""Results as files that people send each other: pure functions from a comparison to bytes.

    from nexthour.office.workbook import workbook
    from nexthour.office.one_pager import one_pager
    from nexthour.office.provenance import Provenance, file_name

    data = workbook(comparison, day)
    name = file_name(comparison.scenario, "comparison", day, "xlsx")

The same arguments give the same bytes: the day is an argument. Whatever a partner could read says Maintain, Develop and
Limit. Plans and scenarios as text are `plan.text()` and `scenario.text()`.

Left out: running anything but the one market whose deals are listed, and writing files.
"""
