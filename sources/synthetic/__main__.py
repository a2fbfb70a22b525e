"""``python -m sources.synthetic --output DIR --scale 0.01 --seed 0``: write the seven files for a look or a test."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from errors import GridfoldError
from sources.synthetic.tables import write_csv


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(prog="python -m sources.synthetic", description="Make the seven files up.")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the files")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the real size, 0.001 to 1 (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same files (default 0)")
    parser.add_argument("--leak", action="store_true", help="order training rows as the real file does")
    parser.add_argument("--zip", action="store_true", help="write NAME.csv.zip instead of NAME.csv")
    asked = parser.parse_args()
    try:
        write_csv(asked.output, asked.scale, asked.seed, asked.leak, asked.zip)
    except GridfoldError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
