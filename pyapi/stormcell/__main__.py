"""`python -m stormcell` is the command line of the environment of that `python`."""

from stormcell.cli import main

if __name__ == "__main__":
    main(prog_name="stormcell")
