"""Works one executable hard for long. Started by bench/soak, which builds first."""
from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

import kills
import tuples
from plan import Wrong

ABOUT = 'Works our executable hard, and fails where it holds more at the end, or loses anything.'
ABOUT_TUPLES = """
Drives one executable with the word count, as fast as the pipe takes it, and looks 50 times at what
guardian and interpreter hold. After a tenth of the tuples, memory may grow by 1 MiB at most,
Python's objects by no more than caches take, and the numbers of descriptors and threads not at all.
Every tuple must be settled once.
"""
ABOUT_KILLS = """
Plays a Storm with a reliable spout: each id goes to a bolt that records it in a file, and again as
long as it fails or is lost. At random moments the interpreter or the guardian gets SIGKILL. At the
end each id must be acked and recorded, nothing may have been settled twice on a wire, and each kill
must have been reported. --restart 0 never replaces an interpreter: then each kill ends the executable.
"""


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser('bench/soak', description=ABOUT)
    modes = parser.add_subparsers(dest='mode', required=True)
    many = modes.add_parser('tuples', description=ABOUT_TUPLES)
    many.add_argument('--tuples', type=int, default=10**9, metavar='N')
    many.add_argument('--errors', type=int, default=0, metavar='N',
                      help='the bolt raises at each Nth tuple (never)')
    killed = modes.add_parser('kills', description=ABOUT_KILLS)
    killed.add_argument('--ids', type=int, default=10**7, metavar='N')
    killed.add_argument('--kills', type=int, default=1000, metavar='N')
    killed.add_argument('--restart', type=int, default=10**6, metavar='N',
                        help='the most replacements a second, of stormcell.restart (a million)')
    killed.add_argument('--seed', type=int, default=None, metavar='N', help='of the random moments')
    killed.add_argument('--json', type=Path, metavar='FILE', help='write the numbers there as well')
    return parser.parse_args(given)


def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Wrong."""
    if arguments.mode == 'tuples':
        tuples.soak(arguments.tuples, arguments.errors, folder)
    else:
        kills.soak(arguments, folder)


def main() -> None:
    arguments = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with tempfile.TemporaryDirectory(prefix='soak-') as name:
            run(arguments, Path(name))
    except Wrong as wrong:
        sys.exit(f'bench/soak: {wrong}')
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == '__main__':
    main()
