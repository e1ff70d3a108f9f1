"""How long and how often is measured, and where. Environment:

QUICK=1       a short look at everything, printed only; too short to judge a limit by
SCENARIOS     some of them, by name, joined by commas; printed only
SIDECAR       the executable (.build/release/ameron-sidecar)
BEFORE        an older one: the scenario `cost` measures both, slice by slice, and says how they compare
PROXY_CORE    what is measured runs here (0)
LOAD_CORE     load, Model Services and broker run here (1)
RESULTS       where the report of a full run goes (bench/results)
"""
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "Benchmarks"


@dataclass(frozen=True)
class Plan:
    """Seconds of a slice, and how many rounds of slices, for each kind of scenario."""
    slice: int
    cost_rounds: int
    latency_rounds: int
    curve_rounds: int
    curve_shares: tuple
    connection_rounds: int
    growth_rounds: int
    start_rounds: int
    kafka_rounds: int
    many_idle: int
    many_active: int
    body_sizes: tuple = (100, 10 * 1024, 1024 * 1024)
    rows: tuple = (1, 10, 100, 1000)
    connections: tuple = (8, 64, 1000, 10000)
    models: tuple = (1, 8, 64)
    shards: tuple = (1, 2)


FULL = Plan(slice=2, cost_rounds=10, latency_rounds=6, curve_rounds=3, curve_shares=(10, 30, 50, 70, 90),
            connection_rounds=5, growth_rounds=4, start_rounds=5, kafka_rounds=6, many_idle=10000, many_active=1000)
QUICK = Plan(slice=1, cost_rounds=1, latency_rounds=1, curve_rounds=1, curve_shares=(30, 70),
             connection_rounds=1, growth_rounds=1, start_rounds=1, kafka_rounds=1, many_idle=10000, many_active=1000,
             body_sizes=(100, 1024 * 1024), rows=(1, 1000), connections=(64, 10000), models=(1, 64))


class Settings:
    def __init__(self, environment=os.environ):
        self.quick = bool(environment.get("QUICK"))
        self.plan = QUICK if self.quick else FULL
        self.only = [name for name in environment.get("SCENARIOS", "").split(",") if name]
        self.sidecar = Path(environment.get("SIDECAR") or ROOT / ".build/release/ameron-sidecar").resolve()
        self.before = Path(environment["BEFORE"]).resolve() if environment.get("BEFORE") else None
        self.proxy_core = int(environment.get("PROXY_CORE", 0))
        self.load_core = int(environment.get("LOAD_CORE", 1))
        self.results = Path(environment.get("RESULTS") or ROOT / "bench/results")
        self.writes = not self.quick and not self.only
