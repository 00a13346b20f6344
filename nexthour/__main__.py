"""python -m nexthour: the command of that name."""

from nexthour.terminal.main import main

if __name__ == "__main__":
    main()
