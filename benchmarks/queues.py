"""One M/M/1 queue in three simulators, SimPy, Ciw and salabim, so that their speeds can stand side by side.

Each function runs the queue once, until CUSTOMERS have been served, and returns how many events its library
processed. The libraries do not mean the same by an event: for one customer SimPy counts six, salabim four and
Ciw two. Events a second say how fast a library turns its own wheel; to compare libraries, divide CUSTOMERS by
the time.

Ciw and salabim come with the extra "bench" and are imported when first run. Left out: what the queue does.
Only its speed is wanted, so nobody records waiting times, except where a library does by itself: Ciw keeps a
record of each customer, salabim monitors its resource.
"""

# Neither library says its types, and neither need be installed.
# mypy: allow-subclassing-any, disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from typing import Any

import simpy

SEED = 7
CUSTOMERS = 5_000
ARRIVALS_PER_MINUTE = 0.8
SERVICES_PER_MINUTE = 1.0


def simpy_queue() -> int:
    """After SimPy's own bank example: a process for each customer, one teller. Counted: events scheduled."""
    env = simpy.Environment()
    teller = simpy.Resource(env)
    draw = random.Random(SEED)

    def customer() -> Generator[simpy.Event, Any, None]:
        with teller.request() as turn:
            yield turn
            yield env.timeout(draw.expovariate(SERVICES_PER_MINUTE))

    def source() -> Generator[simpy.Event, Any, None]:
        for _ in range(CUSTOMERS):
            yield env.timeout(draw.expovariate(ARRIVALS_PER_MINUTE))
            env.process(customer())

    env.process(source())
    env.run()
    return next(env._eid)


def ciw_queue() -> int:
    """A network of one node with one server. Counted: arrivals and ends of service, as the nodes number them.

    Ciw has no counter of events, but these two are all that happens here. The run stops with the last customer
    served, when a few more may have arrived. It draws from Python's global generator, the only one Ciw knows.
    """
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=ARRIVALS_PER_MINUTE)],
        service_distributions=[ciw.dists.Exponential(rate=SERVICES_PER_MINUTE)],
        number_of_servers=[1],
    )
    ciw.seed(SEED)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(CUSTOMERS)
    entrance, exit_ = simulation.nodes[0], simulation.nodes[-1]
    events: int = entrance.number_of_individuals + exit_.number_of_individuals
    return events


def salabim_queue() -> int:
    """The queue of `simpy_queue`, draw for draw: a component for each customer. Counted: events scheduled.

    With generators (`yieldless=False`): quicker than its other way, which wants greenlet besides. Most of the
    time goes into making the components: salabim inspects the signatures of each one's methods.
    """
    import salabim

    env = salabim.Environment(trace=False, random_seed="", set_numpy_random_seed=False, yieldless=False)
    teller = salabim.Resource("teller", env=env)
    draw = random.Random(SEED)

    class Customer(salabim.Component):
        def process(self) -> Generator[Any, Any, None]:
            yield self.request(teller)
            yield self.hold(draw.expovariate(SERVICES_PER_MINUTE))
            self.release(teller)

    class Source(salabim.Component):
        def process(self) -> Generator[Any, Any, None]:
            for _ in range(CUSTOMERS):
                yield self.hold(draw.expovariate(ARRIVALS_PER_MINUTE))
                Customer(env=env)

    Source(env=env)
    env.run()
    events: int = env._seq
    return events


QUEUES: dict[str, Callable[[], int]] = {"SimPy": simpy_queue, "Ciw": ciw_queue, "salabim": salabim_queue}
