"""What components of tests write down, for the tests to read: files in the folder of the setting `test.folder`."""

import json
import os
import pickle


class Notes:
    """A file that lines are added to, each whole or not at all, and in the file before `add` returns."""

    def __init__(self, folder, name):
        self._file = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def add(self, line):
        os.write(self._file, f"{line}\n".encode())

    def add_pickled(self, value):
        data = pickle.dumps(value)
        while data:
            data = data[os.write(self._file, data):]


def introduce(component):
    """Tell who runs a task: its interpreter, the guardian in front of that, and the worker's JVM."""
    who = {"component": component.component_name, "task": component.task_id, "interpreter": os.getpid(),
           "guardian": component.pid, "worker": parent(component.pid), "command": command(component.pid)}
    Notes(component.storm_conf["test.folder"], "processes").add(json.dumps(who))


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def command(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().decode().split("\0")[:-1]


def tasks_of(component, name):
    """The tasks of a component of this topology."""
    return sorted(int(task) for task, of in component.context["task->component"].items() if of == name)
