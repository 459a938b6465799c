"""A spout in bare Python: it emits integers of more than 64 bits, each once."""

import json
import os
import sys

HUGE = [edge + by for edge in (2**63, 2**64, 10**40, 7**400) for by in (0, 1)] + [-(2**63) - 1, -(2**64), -(7**400)]


def hear():
    lines = iter(sys.stdin.readline, "end\n")
    return json.loads("".join(lines) or sys.exit())


def say(**message):
    print(json.dumps(message) + "\nend", flush=True)


def main():
    shake = hear()
    with open(os.path.join(shake["pidDir"], str(os.getpid())), "w"):
        say(pid=os.getpid())
    left = list(enumerate(HUGE))[::-1]
    while True:
        if hear()["command"] == "next" and left:
            number, value = left.pop()
            say(command="emit", tuple=[number, value, shake["context"]["taskid"]], need_task_ids=False)
        say(command="sync")


if __name__ == "__main__":
    main()
