"""``python -m bench.hotpath``: counts, times, flame graphs, the record."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.hotpath import ratchet
from bench.hotpath.counting import Counts, count
from bench.hotpath.flame import Sampler, folded, svg
from bench.hotpath.scenes import SCENES, Scene
from bench.hotpath.timing import microseconds
from mosntx.testing.mesh import Peer

#: Seconds of CPU that a flame graph is made of: most kernels sample 250 times a second.
FLAME_SECONDS = 10.0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.hotpath", description="What one request costs, without sockets."
    )
    parser.add_argument(
        "scenes", nargs="*", metavar="SCENE", help=f"some of {', '.join(SCENES)}; default: all"
    )
    parser.add_argument("--time", action="store_true", help="measure CPU too")
    parser.add_argument("--update", action="store_true", help="record the counts")
    parser.add_argument("--flame", type=Path, metavar="FOLDER", help="write flame graphs there")
    parser.add_argument("--seconds", type=float, default=FLAME_SECONDS, help="of each flame graph")
    options = parser.parse_args(arguments)
    for name in options.scenes:
        if name not in SCENES:
            parser.error(f"there is no scene {name!r}; there is {', '.join(SCENES)}")
    return options


def paint(name: str, scene: Scene, folder: Path, seconds: float) -> None:
    """Write ``name.svg`` and ``name.txt``."""
    sampler = Sampler(Peer.send.__qualname__)  # what peers do themselves is left out
    sampler.run(scene.exchange, seconds)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_text(svg(sampler.stacks, f"{name}: one request"), "utf-8")
    (folder / f"{name}.txt").write_text(folded(sampler.stacks), "utf-8")


def main(arguments: Sequence[str]) -> int:
    """Run scenes; return 1 when a count is above its record."""
    options = parse(arguments)
    record, risen = ratchet.load(), []
    out: dict[str, Counts] = {}
    sys.stdout.write(f"{'scene':16}{'Python':>8}{'C':>8}{'blocks':>8}{'held':>8}")
    sys.stdout.write(f"{'us CPU':>8}\n" if options.time else "\n")
    for name in options.scenes or SCENES:
        counts = out[name] = count(SCENES[name]())
        risen += ratchet.rises(record, name, counts)
        line = f"{name:16}{counts.python:8}{counts.c:8}{counts.blocks:8}{counts.held:8}"
        if options.time:
            line += f"{microseconds(SCENES[name]()):8.1f}"
        sys.stdout.write(line + "\n")
        if options.flame:
            paint(name, SCENES[name](), options.flame, options.seconds)
    if options.update:
        ratchet.save(out)
        return 0
    sys.stdout.write("".join(f"{line}\n" for line in risen))
    return 1 if risen else 0
