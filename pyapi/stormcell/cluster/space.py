"""The network namespace that a cluster lives in, and the ways into it.

Storm listens on every address, and no setting says otherwise. In a namespace that has only the loopback,
nobody else can reach it, and ports never clash.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shutil
import socket
import struct
import subprocess
import sys

from stormcell.cluster.error import ClusterError
from stormcell.cluster.processes import space_of

PATIENCE = 10.0
"""How long a helper may take beyond what a connection may, in seconds."""

# Opens a connection and passes it on; or says why not.
HELPER = """\
import _socket, sys
host, port, timeout = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
back = _socket.socket(fileno=int(sys.argv[4]))
try:
    family, kind, _, _, address = _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)[0]
    found = _socket.socket(family, kind)
    found.settimeout(timeout or None)
    found.connect(address)
except _socket.timeout:
    back.send(b"timeout")
except OSError as error:
    back.send(b"%d %s" % (error.errno or 0, (error.strerror or "").encode()))
else:
    back.sendmsg([b"+"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, found.fileno().to_bytes(4, sys.byteorder))])
"""


def own_space() -> list[str]:
    """What makes a command run in a network namespace of its own: the words before it. ClusterError: it
    cannot be had here."""
    unshare = tool("unshare")
    reason = ""
    # Root needs no user namespace, and inside one could not read other users' files. Others need one.
    for flags in ("-n", "-rn"):
        done = subprocess.run([unshare, flags, "true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode == 0:
            return [unshare, flags]
        reason = done.stderr.decode(errors="replace").strip()
    user = pwd.getpwuid(os.getuid()).pw_name if os.getuid() else "root"
    raise ClusterError(
        f"{user} may not make a network namespace here ({reason}), and without one Storm would listen on every "
        "address: as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu) or "
        "user.max_user_namespaces=15000; a container needs --privileged")


def tool(name: str) -> str:
    """The path of one of util-linux' programs. ClusterError."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        raise ClusterError(f"there is no {name} on PATH (Debian: apt-get install util-linux)")
    return path


def raise_loopback() -> None:
    """Bring up the loopback of the namespace that this process is in."""
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        answer = fcntl.ioctl(any_socket, get_flags, request)
        (flags,) = struct.unpack("16xh22x", answer)
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh22x", b"lo", flags | up))


def inside(pid: int) -> list[str]:
    """What makes a command run in the namespace of this process: the words before it; none are needed where
    that is where we are. ClusterError."""
    if space_of(pid) == space_of(os.getpid()):
        return []
    flags = ["-n"]
    if space_of(pid, "user") != space_of(os.getpid(), "user"):
        flags = ["-U", "-n", "--preserve-credentials"]
    return [tool("nsenter"), "-t", str(pid), *flags, "--"]


def connect(pid: int, host: str, port: int, timeout: float | None) -> socket.socket:
    """A TCP connection, opened in the namespace of this process; otherwise as
    `socket.create_connection((host, port), timeout)`, whose errors it has."""
    try:
        before = inside(pid)
    except ClusterError as error:
        raise OSError(errno.ENOENT, str(error)) from None
    if not before:
        return socket.create_connection((host, port), timeout)
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            helper = subprocess.Popen(
                [*before, sys.executable, "-I", "-S", "-c", HELPER, host, str(port), str(timeout or 0),
                 str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE)
        try:
            return _received(ours, helper, f"{host}:{port}", timeout)
        finally:
            helper.kill()
            helper.communicate()


def _received(ours: socket.socket, helper: subprocess.Popen[bytes], address: str,
              timeout: float | None) -> socket.socket:
    """What the helper passes on, as a socket or as an OSError."""
    ours.settimeout(None if timeout is None else timeout + PATIENCE)
    try:
        said, descriptors, _, _ = socket.recv_fds(ours, 1000, 1)
    except TimeoutError:
        said, descriptors = b"timeout", []
    if descriptors:
        found = socket.socket(fileno=descriptors[0])
        found.settimeout(timeout)
        return found
    if said == b"timeout":
        raise TimeoutError(errno.ETIMEDOUT, f"{address} in the cluster: no connection within {timeout:g} s")
    number, _, text = said.decode(errors="replace").partition(" ")
    if said and int(number) < 0:
        raise socket.gaierror(int(number), text)
    if said and int(number):
        raise OSError(int(number), text)  # of the subclass that belongs to the number
    reason = text or (helper.communicate()[1] or b"").decode(errors="replace").strip()
    raise ConnectionRefusedError(errno.ECONNREFUSED, f"{address}: the cluster has ended ({reason})")
