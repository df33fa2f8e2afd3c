"""`python -m tutelage` is the `tutelage` command."""

import sys

from tutelage.cli import main

if __name__ == "__main__":
    sys.exit(main())
