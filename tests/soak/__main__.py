"""`python -m tests.soak --operations 1000000 --faults 0.03 --seed 1`."""

import sys

from tests.soak.run import main

# The processes that play the worlds import this module too.
if __name__ == "__main__":
    sys.exit(main())
