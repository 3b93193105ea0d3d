"""``python -m bench.memory``."""

from __future__ import annotations

import sys

from bench.memory.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
