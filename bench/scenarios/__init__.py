"""The loads the harness knows, one module each."""

from __future__ import annotations

#: Name to module; the module's ``SCENARIO`` is a subclass of `bench.scenarios.base.Scenario`.
SCENARIOS = {
    "http1": "bench.scenarios.http1",
    "http1-logged": "bench.scenarios.http1_logged",
    "http1-h2load": "bench.scenarios.http1_h2load",
    "http1-half": "bench.scenarios.http1_half",
    "http1-conn10000-idle": "bench.scenarios.http1_idle_crowd",
    "http2": "bench.scenarios.http2",
    "two-hops": "bench.scenarios.two_hops",
    "idle": "bench.scenarios.idle",
    "http2-idle": "bench.scenarios.http2_idle",
    "bolt": "bench.scenarios.bolt",
    "bolt-8x16": "bench.scenarios.bolt_8x16",
    "bolt-two-hops": "bench.scenarios.bolt_two_hops",
    "bolt-idle": "bench.scenarios.bolt_idle",
}
