"""Long work of the app, one job at a time in a process of its own: plans, reasons, frontiers, gaps and so on.

    jobs = Jobs()
    job = jobs.start("plan", scenario, floors={1: 0.9}, who=session)
    job.state, job.says, job.place, job.seconds
    job.result, job.problem
    job.cancel(session)

A job computes for a minute, much of it under Python's lock: in the server it would hold up everybody's sliders. So one
worker process does it, at low priority, and stays warm between jobs. Whoever asks for the same thing shares one job. A
server makes one `Jobs`, and hands it to its pages.

The worker is a Process with a Pipe of multiprocessing and no executor of concurrent.futures: that hands on no progress,
cannot stop what has begun, and its process outlives a server that is killed. It starts as joblib's loky starts its own:
`spawn` would run the main script again in it, and under Streamlit that is the app.

Left out: what the work is (worker.py), and what people see of it (nexthour/app/job_status.py).
"""

from nexthour.jobs.queue import Job, Jobs, State
from nexthour.jobs.uploads import Upload, on_disk
from nexthour.jobs.worker import FittedScenario, Gaps, JobKind

__all__ = ["FittedScenario", "Gaps", "Job", "JobKind", "Jobs", "State", "Upload", "on_disk"]
