"""A plan is kept: saved in the library, downloaded, and taken to the Lab and to Compare.

Left out: the library itself (library.py).
"""

import streamlit as st

from nexthour.app.menu import page_link
from nexthour.app.page import PageContext, escaped
from nexthour.app.state import lab_fields, library
from nexthour.app.state.library import LONGEST_NAME
from sim import PlanError, TimePlan
from sim.split import Split


def draw(context: PageContext, plan: TimePlan, name: str, key: str, split: Split | None = None) -> None:
    """Save the plan, and what can be done with it then. `split` is what Compare shows beside it."""
    same = (one for one, known in context.plans.items() if known == plan.model_copy(update={"name": one}))
    saved = next(same, None)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        if saved is None:
            _draw_form(context, plan, name, key)
        else:
            st.success(escaped(f"Saved as {saved}."))
    named = plan.model_copy(update={"name": saved or name})
    with right:
        st.download_button(
            "Plan file (YAML)", named.text(), key=f"yaml {key}", file_name=f"{library.file_stem(named.name)}.yaml",
            mime="application/yaml", on_click="ignore", width="stretch",
        )  # fmt: skip
    if saved is not None:
        others = {} if split is None else {"b": [split.name], "lab": [lab_fields.pack_split(split)]}
        other = "today's split" if split is None else "the best constant split"
        label, slots = f"Compare it with {other}", {"a": [saved], **others, "c": [""]}
        page_link("compare", label, context.scenario_id, plan=[saved], **slots)
        page_link("lab", "See it in the Lab", context.scenario_id, plan=[saved])


def _draw_form(context: PageContext, plan: TimePlan, name: str, key: str) -> None:
    with st.form(f"keep {key}", border=False):
        field, button = st.columns([2, 1], vertical_alignment="bottom")
        chosen = field.text_input("Save this plan as", name, max_chars=LONGEST_NAME, key=f"keep {key} as {name}")
        if button.form_submit_button("Save", width="stretch"):
            save(context, plan, chosen)
            st.rerun()


def save(context: PageContext, plan: TimePlan, name: str) -> str:
    """Save a plan under a name; returns the name that it got. An equal plan of this name is not saved twice.

    Raises PlanError without a name, and for the name of a plan of the scenario itself, which would hide what is saved.
    """
    if not name.strip():
        raise PlanError("A plan needs a name; give it one")
    if name in (split.name for split in (context.scenario.status_quo, *context.scenario.plans)):
        raise PlanError(f"{name} is the name of a plan of this scenario already; give it another")
    plan_id = library.save_document(plan.model_copy(update={"name": name}), "plans")
    return TimePlan.load(library.plan_files()[plan_id]).name
