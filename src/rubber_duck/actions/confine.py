"""Runs one program in a world of its own: what `sandbox` starts in a fresh interpreter, with only the standard library.

Standard input brings one line of JSON (`Order`) and the files behind it; standard output gets one line of JSON with how
it ended, and what the program wrote. The program sees no network but its own loopback, a read-only root that holds
systems folders and what is named, a copy of the project in memory, and none of this user's files. Its first process is
ours, and when that ends, the kernel kills all others in the same namespace.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from rubber_duck.actions import kernel

SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache")
"""What every program needs to start; a link among them is made again."""

_NEW_ROOT: Final = "/tmp"  # in the new namespace a file system of its own is put over it
_DEVICES: Final = ("null", "zero", "full", "random", "urandom")
_OUTER: Final = 65_534
"""Whom a superuser becomes before: a program is never run as one."""

_INNER: Final = 1_000
_TICK_S: Final = 0.02
_GRACE_S: Final = 5.0
_PIECE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, where, with what; `reads` are bound read-only, `files` (path, mode, size) make up `project`."""

    argv: list[str]
    project: str
    folder: str
    reads: list[str]
    environment: dict[str, str]
    files: list[tuple[str, int, int]]
    wall_s: float
    cpu_s: int
    memory_bytes: int
    processes: int
    output_bytes: int
    disk_bytes: int


def main() -> None:
    """Confine, run, report; always ends with 0, because the report says the rest."""
    order = Order(**json.loads(sys.stdin.buffer.readline()))
    contents = [sys.stdin.buffer.read(size) for _, _, size in order.files]
    try:
        _leave()
    except OSError as error:
        _report({"ended": "setup", "why": str(error.strerror or error)}, b"", b"")
        return
    pipes = [os.pipe() for _ in range(3)]
    first = os.fork()
    if first == 0:
        for reading, _ in pipes:
            os.close(reading)
        _be_first(order, contents, [writing for _, writing in pipes])
    for _, writing in pipes:
        os.close(writing)
    contents.clear()
    _report(*_watched(order, first, [reading for reading, _ in pipes]))


def _leave() -> None:
    """Leave every namespace; a superuser, who may do so as it is, keeps that of users until the world is built."""
    spaces = kernel.NEW_MOUNTS | kernel.NEW_PROCESSES | kernel.NEW_NETWORK
    spaces |= kernel.NEW_IPC | kernel.NEW_UTS | kernel.NEW_CGROUPS
    if os.geteuid() == 0:
        kernel.unshare(spaces)
    else:
        user, group = os.geteuid(), os.getegid()
        kernel.unshare(spaces | kernel.NEW_USERS)
        _map_users(user, group)


def _step_down() -> None:
    """Let a superuser become nobody, in a namespace of users of its own: limits count there alone."""
    os.setgroups([])
    os.setresgid(_OUTER, _OUTER, _OUTER)
    os.setresuid(_OUTER, _OUTER, _OUTER)
    kernel.set_dumpable(True)  # or the files in /proc that follow were not ours
    kernel.die_with_parent()  # which becoming another user undid
    kernel.unshare(kernel.NEW_USERS)
    _map_users(_OUTER, _OUTER)


def _map_users(user: int, group: int) -> None:
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{_INNER} {user} 1")
    _write("/proc/self/gid_map", f"{_INNER} {group} 1")


def _be_first(order: Order, contents: list[bytes], pipes: list[int]) -> NoReturn:
    """The first process of the new world: makes it, starts the program, looks after it, and ends it all."""
    out, errors, status = pipes
    try:
        kernel.die_with_parent()
        _build(order, contents)
        contents.clear()
        _raise_loopback()
        kernel.make_read_only("/", recursive=False)
        if os.geteuid() == 0:
            _step_down()
        _write("/proc/sys/user/max_user_namespaces", "0")
        kernel.drop_privileges()
        kernel.set_dumpable(False)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # waited for, with a time-out
        program = os.fork()
        if program == 0:
            _become(order, out, errors, status)
        os.close(out)
        os.close(errors)
        _say(status, _looked_after(program, order.memory_bytes))
    except OSError as error:
        _say(status, {"ended": "setup", "why": str(error.strerror or error)})
    os._exit(0)


def _build(order: Order, contents: list[bytes]) -> None:
    """Make the new root and enter it."""
    kernel.mount("none", "/", "", kernel.RECURSIVE | kernel.PRIVATE)
    links, bound = [], []
    for path in dict.fromkeys((*SYSTEM, *order.reads)):
        if os.path.islink(path) and path in SYSTEM:
            links.append((os.readlink(path), path))
        elif os.path.exists(path):
            bound.append((os.open(path, os.O_PATH | os.O_CLOEXEC), path))
        elif path not in SYSTEM:
            raise OSError(2, f"'{path}' is not there, or may not be read by user {os.geteuid()}")
    devices = [(os.open(f"/dev/{name}", os.O_PATH | os.O_CLOEXEC), f"/dev/{name}") for name in _DEVICES]
    plain = kernel.NO_SUID | kernel.NO_DEVICES
    kernel.mount("duck", _NEW_ROOT, "tmpfs", plain, "size=16m,nr_inodes=65536,mode=755")
    for name in ("/tmp", "/dev/shm"):
        _give_room(name, order.disk_bytes)
    inside = [each for each in bound if _is_in(each[1], order.project)]
    for descriptor, path in [each for each in bound if each not in inside]:
        _bind(descriptor, path, read_only=True)
    for target, path in links:
        os.symlink(target, _NEW_ROOT + path)
    _give_room(order.project, order.disk_bytes)
    for descriptor, path in devices:
        _bind(descriptor, path, read_only=False)
    _write_files(order, contents)
    for descriptor, path in inside:
        _bind(descriptor, path, read_only=True)
    _make_etc()
    os.makedirs(f"{_NEW_ROOT}/proc")
    kernel.mount("proc", f"{_NEW_ROOT}/proc", "proc", plain | kernel.NO_EXEC)
    for name in ("stdin", "stdout", "stderr"):
        number = ("stdin", "stdout", "stderr").index(name)
        os.symlink(f"/proc/self/fd/{number}", f"{_NEW_ROOT}/dev/{name}")
    os.symlink("/proc/self/fd", f"{_NEW_ROOT}/dev/fd")
    os.makedirs(f"{_NEW_ROOT}/tmp/home")
    os.chown(f"{_NEW_ROOT}/tmp/home", _owner(), _owner())
    kernel.enter_root(_NEW_ROOT)


def _give_room(path: str, size_bytes: int) -> None:
    """Mount a folder in memory that the program may fill."""
    os.makedirs(_NEW_ROOT + path, exist_ok=True)
    options = f"size={size_bytes},nr_inodes=200000,mode=755,uid={_owner()},gid={_owner()}"
    kernel.mount("duck", _NEW_ROOT + path, "tmpfs", kernel.NO_SUID | kernel.NO_DEVICES, options)


def _owner() -> int:
    """Whom the program's own files belong to, as this process sees users now."""
    return _OUTER if os.geteuid() == 0 else _INNER


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _bind(descriptor: int, path: str, *, read_only: bool) -> None:
    target = _NEW_ROOT + path
    if os.path.isdir(f"/proc/self/fd/{descriptor}"):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
    kernel.mount(f"/proc/self/fd/{descriptor}", target, "", kernel.BIND | kernel.RECURSIVE)
    if read_only:
        kernel.make_read_only(target)
    os.close(descriptor)


def _write_files(order: Order, contents: list[bytes]) -> None:
    for (path, mode, _), content in zip(order.files, contents, strict=True):
        target = f"{_NEW_ROOT}{order.project}/{path}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as file:
            file.write(content)
    for folder, _, names in os.walk(f"{_NEW_ROOT}{order.project}"):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, _owner(), _owner())


def _make_etc() -> None:
    os.makedirs(f"{_NEW_ROOT}/etc", exist_ok=True)
    for name, content in {
        "passwd": f"duck:x:{_INNER}:{_INNER}::/tmp/home:/bin/false\n",
        "group": f"duck:x:{_INNER}:\n",
        "hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }.items():
        _write(f"{_NEW_ROOT}/etc/{name}", content)


def _raise_loopback() -> None:
    """Tests talk to themselves over it; it leads nowhere else."""
    up_and_running = 0x1 | 0x40
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", up_and_running))


def _become(order: Order, out: int, errors: int, status: int) -> NoReturn:
    """Become the program, under all limits."""
    try:
        os.setsid()
        nothing = os.open("/dev/null", os.O_RDONLY)
        for number, descriptor in enumerate((nothing, out, errors)):
            os.dup2(descriptor, number)
        held = os.dup(status)
        os.set_inheritable(held, False)
        os.closerange(3, held)
        os.chdir(order.folder)
        for limit, most in (
            (resource.RLIMIT_CPU, order.cpu_s),
            (resource.RLIMIT_DATA, order.memory_bytes),
            (resource.RLIMIT_NPROC, order.processes),
            (resource.RLIMIT_FSIZE, order.disk_bytes),
            (resource.RLIMIT_NOFILE, 1_024),
            (resource.RLIMIT_MEMLOCK, 1 << 20),
            (resource.RLIMIT_CORE, 0),
        ):
            soft = min(most, resource.getrlimit(limit)[1]) if resource.getrlimit(limit)[1] >= 0 else most
            resource.setrlimit(limit, (soft, soft + 1 if limit == resource.RLIMIT_CPU else soft))
        kernel.allow_writing_only((order.project, "/tmp", "/dev"))  # its own
        kernel.refuse_calls()
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvpe(order.argv[0], order.argv, order.environment)
    except OSError as error:
        _say(held, {"ended": "start", "why": str(error.strerror or error)})
    os._exit(127)


def _looked_after(program: int, memory_bytes: int) -> dict[str, Any]:
    """Wait for the program, bury what its children leave, and end all when they take more memory than they may."""
    while True:
        done, ending = os.waitpid(-1, os.WNOHANG)
        if done == program:
            if os.WIFSIGNALED(ending):
                return {"ended": "signal", "code": os.WTERMSIG(ending)}
            return {"ended": "exit", "code": os.WEXITSTATUS(ending)}
        if done == 0:
            if _memory_bytes() > memory_bytes:
                return {"ended": "memory"}
            signal.sigtimedwait({signal.SIGCHLD}, _TICK_S)


def _memory_bytes() -> int:
    """What all processes of this world but the first hold in memory, without files; shared pages count for each."""
    kilobytes = 0
    for name in os.listdir("/proc"):
        if name.isdecimal() and name != "1":
            try:
                with open(f"/proc/{name}/status", "rb") as file:
                    lines = dict(line.split(b":", 1) for line in file if line.startswith((b"RssAnon", b"RssShmem")))
            except OSError:
                continue  # it has ended
            kilobytes += sum(int(value.split()[0]) for value in lines.values())
    return kilobytes * 1024


def _watched(order: Order, first: int, pipes: list[int]) -> tuple[dict[str, Any], bytes, bytes]:
    """What the world says until it ends, or is ended: for taking too long, or saying too much."""
    deadline = time.monotonic() + order.wall_s
    said = {pipe: bytearray() for pipe in pipes}
    ended: dict[str, Any] = {}
    selector = selectors.DefaultSelector()
    for pipe in pipes:
        selector.register(pipe, selectors.EVENT_READ)
    while selector.get_map():
        left = deadline - time.monotonic()
        if left <= 0 and not ended:
            ended = {"ended": "time"}
            os.kill(first, signal.SIGKILL)
            deadline = time.monotonic() + _GRACE_S
        elif left <= 0:
            break
        for key, _ in selector.select(max(left, 0)):
            piece = os.read(key.fd, _PIECE)
            if piece:
                said[key.fd] += piece
            else:
                selector.unregister(key.fd)
        if len(said[pipes[0]]) + len(said[pipes[1]]) > order.output_bytes and not ended:
            ended = {"ended": "output"}
            os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    out, errors, status = (bytes(said[pipe]) for pipe in pipes)
    if not ended:
        # the first line counts: a program that cannot be started says so before the end of its process does
        ended = json.loads(status.split(b"\n")[0]) if status else {"ended": "signal", "code": int(signal.SIGKILL)}
    return ended, out[: order.output_bytes], errors[: order.output_bytes]


def _say(status: int, what: dict[str, Any]) -> None:
    os.write(status, json.dumps(what).encode() + b"\n")


def _report(ended: dict[str, Any], out: bytes, errors: bytes) -> None:
    head = {**ended, "out_bytes": len(out), "error_bytes": len(errors)}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + out + errors)
    sys.stdout.buffer.flush()


def _write(path: str, content: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, content.encode())
    finally:
        os.close(descriptor)
