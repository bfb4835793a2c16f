"""Reads what a kustomize root builds: `check_tree.py FOLDER [EDGES]`, for overlays of one's own and for rendered ones.

One line per mistake, and exit 1 if there is any; exit 0 and a count of objects otherwise.
"""

import sys
from pathlib import Path

from kustomize import BuildFailure, build
from object_checks import problems
from schema_checks import violations


def lines(folder: Path, edges: int = 3) -> list:
    objects = build(folder)
    return [line for item in objects for line in violations(item)] + problems(objects, edges)


def main(arguments: list) -> int:
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    try:
        found = lines(folder, int(arguments[1]) if len(arguments) == 2 else 3)
    except BuildFailure as failure:
        found = [str(failure)]
    print("\n".join(found) or f"{len(build(folder))} objects, nothing wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
