"""Compare a coverage report with the record: coverage may rise, never fall.

`python tools/coverage_ratchet.py coverage.json` fails when the total or a file is below what
`coverage-ratchet.json` records, or when a file without a record is below `NEW_FILE_MINIMUM`.
`--update` records the report instead. Figures are percent of lines and branches together.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORD = Path(__file__).parent.parent / "coverage-ratchet.json"
NEW_FILE_MINIMUM = 80.0
# Which branches a loopback test takes depends on how the kernel cuts octets, and who is first.
SLACK = 1.0
# Another minor version of Python compiles other branches: there the record is only a guide.
OTHER_PYTHON_SLACK = 2.0


def floorTenth(percent: float) -> float:
    """Return `percent` rounded down to a tenth.

    :param percent: 0 to 100.
    """
    return math.floor(percent * 10 + 1e-6) / 10


def readReport(report: Mapping[str, Any]) -> tuple[float, dict[str, float]]:
    """Return the total and the percentage of each file, named from the package down.

    :param report: what `coverage json` writes.
    """
    files = {}
    for path, entry in report["files"].items():
        name = "mosntx/" + path.replace("\\", "/").rpartition("mosntx/")[2]
        files[name] = floorTenth(entry["summary"]["percent_covered"])
    return floorTenth(report["totals"]["percent_covered"]), files


def findFalls(
    record: Mapping[str, Any], total: float, files: Mapping[str, float], slack: float
) -> list[str]:
    """Return a sentence for each figure that fell; none when all is well.

    :param record: what `--update` wrote, or an empty mapping.
    :param slack: points that a figure may be below its record.
    """
    falls = []
    recorded = record.get("files", {})
    if total < record.get("total", 0.0) - slack:
        falls.append(f"total: {total} % is below the recorded {record['total']} %")
    for name, percent in sorted(files.items()):
        if name in recorded:
            if percent < recorded[name] - slack:
                falls.append(f"{name}: {percent} % is below the recorded {recorded[name]} %")
        elif percent < NEW_FILE_MINIMUM:
            falls.append(f"{name}: {percent} %, a new file needs {NEW_FILE_MINIMUM} %")
    return falls


def main(arguments: list[str], recordPath: Path = RECORD) -> int:
    """Check or record, and return the exit code.

    :param arguments: as on the command line.
    :param recordPath: the file with the record.
    """
    parser = argparse.ArgumentParser(description="Coverage may rise, never fall.")
    parser.add_argument("report", type=Path, help="what `coverage json` wrote")
    parser.add_argument("--update", action="store_true", help="record the report's figures")
    options = parser.parse_args(arguments)
    total, files = readReport(json.loads(options.report.read_text(encoding="utf-8")))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if options.update:
        record = {"python": python, "total": total, "files": dict(sorted(files.items()))}
        recordPath.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(f"recorded: {total} % in {len(files)} files")
        return 0
    record = json.loads(recordPath.read_text(encoding="utf-8")) if recordPath.exists() else {}
    slack = SLACK if record.get("python", python) == python else OTHER_PYTHON_SLACK
    falls = findFalls(record, total, files, slack)
    for fall in falls:
        print(fall)
    print(f"coverage: {total} % in {len(files)} files, {len(falls)} below the record")
    return 1 if falls else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
