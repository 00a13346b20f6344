"""Long work of the app, one piece at a time in a process of its own: plans, reasons, frontiers, gaps and so on.

    search = searches.start("plan", scenario, floors={1: 0.9}, who=session)
    search.state, search.says, search.place, search.seconds
    search.result, search.problem
    search.cancel(session)

A search computes for a minute, much of it under Python's lock: in the server it would hold up everybody's sliders. So
one worker process does it, at low priority, and stays warm between searches. Whoever asks for the same thing shares one
search.

The worker is a Process with a Pipe of multiprocessing and no executor of concurrent.futures: that hands on no progress,
cannot stop what has begun, and its process outlives a server that is killed. It starts as joblib's loky starts its own:
`spawn` would run the main script again in it, and under Streamlit that is the app.

Left out: what the work is (worker.py), and what people see of it (the views).
"""

from nexthour.jobs.queue import Search, Searches, State
from nexthour.jobs.uploads import Upload, on_disk
from nexthour.jobs.worker import Fitted, Gaps, Kind

__all__ = [
    "Fitted", "Gaps", "Kind", "Search", "Searches", "State", "Upload", "find", "known", "on_disk", "start", "warm",
]  # fmt: skip

_of_this_server = Searches()
start, known, find, warm = _of_this_server.start, _of_this_server.known, _of_this_server.find, _of_this_server.warm
