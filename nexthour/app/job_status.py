"""Long work as people see it: how it goes, a button that stops it, and then what was found.

    job_status.result_at_once("gaps", context, {"plan": plan}, "Pricing the remedies", "Price the remedies")

begins it when the page is opened. Where it waits until somebody asks, `start_button` begins it, and `wanted_job` and
`result_or_progress` show the rest.

The page looks at its own job once a second, and at nothing else; when that is over the whole page is drawn again.
Nobody knows how long a job takes, so there is no bar. Left out: where the work is done (nexthour/jobs/).
"""

import html
from typing import Any

import streamlit as st
from streamlit import runtime

from nexthour.app.page import PageContext, caption, escaped
from nexthour.app.state import visit
from nexthour.jobs import Job, JobKind
from nexthour.report.numbers import count_of
from nexthour.report.text import one_line, with_capital

LOOKS_SECONDS = 1.0


def wanted_job(kind: JobKind, context: PageContext, arguments: dict[str, Any]) -> Job | None:
    """The job for this, if anybody began it; one that was cancelled counts as none."""
    job = visit.current().jobs.known(kind, context.scenario, **arguments)
    return None if job is None or job.state == "cancelled" else job


def start_button(label: str, kind: JobKind, context: PageContext, arguments: dict[str, Any], **look: Any) -> None:
    """A button that begins the job for this, or joins it if it is under way or done."""

    def begin() -> None:
        _start(kind, context, arguments)

    st.button(label, on_click=begin, **look)


def _start(kind: JobKind, context: PageContext, arguments: dict[str, Any]) -> Job:
    this_visit = visit.current()
    job = this_visit.jobs.start(kind, context.scenario, who=visit.session_id(), **arguments)
    this_visit.last_jobs[kind] = job.key
    return job


def result_at_once(kind: JobKind, context: PageContext, arguments: dict[str, Any], what: str, again: str) -> Any:
    """The result of a job that begins without being asked for; until then, how it goes is shown, and None returned.

    A job that failed, or that this visitor stopped, is begun anew by a button only: `again` is its label.
    """
    this_visit = visit.current()
    job = this_visit.jobs.known(kind, context.scenario, **arguments)
    is_stopped = job is not None and job.state == "cancelled"
    if job is None or (is_stopped and job.key != this_visit.last_jobs.get(kind)):
        job, is_stopped = _start(kind, context, arguments), False
    result = None if is_stopped else result_or_progress(job, what)
    if job.state in ("cancelled", "failed"):
        start_button(again, kind, context, arguments, key=f"again {kind}")
    return result


def offer_to_cancel_another(kind: JobKind, but: Job | None, sentence: str) -> None:
    """A button to cancel what this visitor wanted last, if it still goes on and is not the job that is looked at."""
    this_visit = visit.current()
    job = this_visit.jobs.find(this_visit.last_jobs.get(kind, ""))
    if job is not None and job is not but and _is_active(job):
        caption(sentence)
        st.button("Cancel that one", on_click=cancel_job, args=(job.key,))


def result_or_progress(job: Job, what: str) -> Any:
    """The result of a job; until there is one, how it goes is shown, and None returned."""
    if _is_active(job):
        job.join(visit.session_id())
        visit.current().last_jobs[job.kind] = job.key
        _draw_progress(job.key, what)
        return None
    if job.state == "failed":
        sentence = one_line(job.problem)
        begins_with_a_word = sentence.partition(" ")[0].isalpha()  # and not with the name of a file
        st.error(escaped(with_capital(sentence) if begins_with_a_word else sentence))
        return None
    return job.result


def cancel_job(key: str) -> None:
    """Tell a job that this visitor does not want it, nor do visitors who are gone, as this one before a reload."""
    job = visit.current().jobs.find(key)
    if job is None:
        return
    gone = [who for who in job.wanted_by if runtime.exists() and not runtime.get_instance().is_active_session(who)]
    for who in (*gone, visit.session_id()):
        job.cancel(who)


def progress_text(job: Job) -> str:
    """How a job goes, in a sentence."""
    if job.state == "waiting":
        return f"Waiting: {job.place} {'search is' if job.place == 1 else 'searches are'} before it."
    return f"{with_capital(one_line(job.says) or 'getting ready')}."


@st.fragment(run_every=LOOKS_SECONDS)
def _draw_progress(key: str, what: str) -> None:
    job = visit.current().jobs.find(key)
    if job is None or not _is_active(job):
        st.rerun()
    with st.container(border=True):
        # Read aloud when it changes; the seconds are not.
        st.html(f'<p class="nh-said" role="status">{html.escape(progress_text(job))}</p>')
        so_far = count_of(round(job.seconds), "second")
        caption(f"{what}: {so_far} so far. You may go elsewhere meanwhile; what is found will be here.")
        if visit.session_id() in job.wanted_by:
            st.button("Cancel", key=f"cancel {job.kind}", on_click=cancel_job, args=(key,))
        else:
            caption("Somebody else waits for the same, so it goes on.")


def _is_active(job: Job) -> bool:
    return job.state in ("waiting", "running")
