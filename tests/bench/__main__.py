"""`make bench [ARGS="runs store analysis recorders start"]`: ratios against something real; nothing fails."""

from __future__ import annotations

import argparse
import os
import platform

SECTIONS = ("runs", "store", "analysis", "recorders", "start")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], default=[], help="which (all by default)")
    parser.add_argument("--max-runs", type=int, default=1_000_000, help="largest store of `store` and `analysis`")
    chosen = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    for section in chosen.sections or SECTIONS:
        print(f"== {section} ==", flush=True)
        if section == "runs":
            from tests.bench import runs

            runs.main()
        elif section == "store":
            from tests.bench import store_scale

            store_scale.main(["--max", str(chosen.max_runs)])
        elif section == "analysis":
            from tests.bench import analysis

            analysis.main(["--max", str(chosen.max_runs)])
        elif section == "recorders":
            from tests.bench import recorders

            recorders.main()
        else:
            from tests.bench import start

            start.main()
        print(flush=True)


if __name__ == "__main__":
    main()
