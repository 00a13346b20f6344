"""Who does the batches: threads for compiled runs, processes for those in Python, or the workers of a Dask cluster.

Left out: what a batch does (batches.py).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import numpy as np

from sim.arrays import FloatArray
from sim.errors import SimulationError
from sim.scenario import Scenario
from sim.study.one_run import slow_runs
from sim.study.settings import RunSettings

Batch = tuple[Callable[..., FloatArray], tuple[Any, ...]]
"""A function and its arguments, to be run by a worker."""


def run_jobs(
    scenario: Scenario, jobs: Sequence[Batch], settings: RunSettings, total: int, along: int = 1
) -> FloatArray:
    """What the jobs of a scenario give, joined along the axis of replications. Progress hears of `total` runs."""
    done, parts = 0, []
    with closing(_results(scenario, jobs, settings)) as results:
        for part in results:
            parts.append(part)
            done += int(np.prod(part.shape[: along + 1]))
            if settings.progress is not None:
                settings.progress(done, total)
    return np.concatenate(parts, axis=along)


def _results(scenario: Scenario, jobs: Sequence[Batch], settings: RunSettings) -> Generator[FloatArray, None, None]:
    """What the jobs give, in their order. Closing it cancels what has not begun."""
    from joblib import Parallel, cpu_count, delayed

    workers = min(len(jobs), settings.workers or cpu_count())
    if settings.engine == "compiled" and settings.scheduler is None and not slow_runs(scenario):
        # Compiled runs let go of Python's lock, so threads are enough; and a pool of them starts at once.
        pool = ThreadPoolExecutor(workers)
        try:
            yield from pool.map(lambda job: job[0](*job[1]), jobs)
        finally:
            pool.shutdown(cancel_futures=True)
        return
    if multiprocessing.current_process().daemon:  # it may have no children
        workers = 1
    with _workers_at(settings.scheduler):
        parallel = Parallel(n_jobs=-1 if settings.scheduler else workers, return_as="generator")
        yield from parallel(delayed(batch)(*job) for batch, job in jobs)


@contextmanager
def _workers_at(scheduler: str | None) -> Iterator[None]:
    """Hand work to the workers of a Dask scheduler, if an address is given."""
    if scheduler is None:
        yield
        return
    try:
        from distributed import Client, Security, rpc
    except ImportError as missing:
        raise SimulationError(
            f"scheduler is {scheduler!r}, but Dask is not installed; install nexthour[cluster] here and on the workers"
        ) from missing
    import asyncio

    from joblib import parallel_config

    async def ask() -> None:
        secured = Security().get_connection_args("client")
        async with asyncio.timeout(5), rpc(scheduler, connection_args=secured) as asked:
            await asked.identity()

    # A client that finds no scheduler leaves a thread behind and complains later, so somebody asks first.
    # In a thread, because the caller may be inside an event loop, as in a notebook.
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, ask()).result()
        client = Client(scheduler, timeout=10, set_as_default=False)
    except Exception as problem:
        raise SimulationError(
            f"no Dask scheduler answers at {scheduler!r}; allowed: an address such as tcp://127.0.0.1:8786"
        ) from problem
    with client, parallel_config(backend="dask", client=client):
        yield
