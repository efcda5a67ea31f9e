"""What Linux offers for confining a program, as functions: namespaces, mounts, capabilities, Landlock, seccomp.

Only the standard library, because it is imported by a fresh interpreter that is about to confine itself. Every function
raises OSError when the kernel refuses.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Final

NEW_MOUNTS: Final = 0x00020000
NEW_CGROUPS: Final = 0x02000000
NEW_UTS: Final = 0x04000000
NEW_IPC: Final = 0x08000000
NEW_USERS: Final = 0x10000000
NEW_PROCESSES: Final = 0x20000000
NEW_NETWORK: Final = 0x40000000

NO_SUID: Final = 0x2
NO_DEVICES: Final = 0x4
NO_EXEC: Final = 0x8
BIND: Final = 0x1000
RECURSIVE: Final = 0x4000
PRIVATE: Final = 0x40000

_READ_ONLY_ATTRIBUTES: Final = 0x1 | 0x2 | 0x4  # read-only, no set-uid, no devices
_AT_CURRENT: Final = -100
_AT_RECURSIVE: Final = 0x8000
_DETACH: Final = 2

_PR_PARENT_DEATH: Final = 1
_PR_DUMPABLE: Final = 4
_PR_SECCOMP: Final = 22
_PR_DROP_BOUNDING: Final = 24
_PR_NO_NEW_PRIVILEGES: Final = 38
_CAPABILITIES: Final = 64

_MOUNT_SETATTR: Final = 442
_LANDLOCK: Final = (444, 445, 446)

_MACHINES: Final[dict[str, tuple[int, int, int]]] = {"x86_64": (0xC000003E, 155, 126), "aarch64": (0xC00000B7, 41, 91)}
"""Machine → its audit number, and its numbers of pivot_root and capset."""

_EVERYWHERE: Final = (425, 426, 427, 428, 429, 430, 431, 432, 442, 447)
"""io_uring, the newer calls that mount, and memfd_secret."""

_REFUSED: Final[dict[str, tuple[int, ...]]] = {
    "x86_64": (
        *(101, 155, 161, 163, 165, 166, 167, 169, 175, 176, 179, 246, 248, 249, 250, 272, 298, 304, 308),
        *(310, 311, 313, 320, 321, 323, 319, 29),
    ),
    "aarch64": (
        *(117, 41, 51, 89, 40, 39, 224, 142, 105, 106, 60, 104, 217, 218, 219, 97, 241, 265, 268),
        *(270, 271, 273, 294, 280, 282, 279, 194),
    ),
}
"""ptrace, pivot_root, chroot, acct, mount, umount2, swapon, reboot, init_module, delete_module, quotactl, kexec_load,
add_key, request_key, keyctl, unshare, perf_event_open, open_by_handle_at, setns, process_vm_readv and _writev,
finit_module, kexec_file_load, bpf, userfaultfd; memfd_create and shmget, whose memory is in no process."""

_libc = ctypes.CDLL(None, use_errno=True)


def supported() -> bool:
    """Whether this kind of machine is known here; its system calls have numbers of their own."""
    return platform.system() == "Linux" and platform.machine() in _MACHINES


def unshare(flags: int) -> None:
    """Move this process, or its children, into new namespaces."""
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount a file system, or with BIND a folder or file that is there."""
    result = _libc.mount(
        os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _checked(result, f"mount {target}")


def make_read_only(path: str, *, recursive: bool = True) -> None:
    """Make a mount, and those in it, read-only, without set-uid programs and devices."""
    attributes = struct.pack("QQQQ", _READ_ONLY_ATTRIBUTES, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    result = _libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR), _AT_CURRENT, os.fsencode(path), flags, attributes, len(attributes)
    )
    _checked(result, f"mount_setattr {path}")


def enter_root(folder: str) -> None:
    """Make the mount `folder` the root, and let go of the old one."""
    os.chdir(folder)
    pivot = _MACHINES[platform.machine()][1]
    _checked(_libc.syscall(ctypes.c_long(pivot), b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", _DETACH), "umount")
    os.chdir("/")


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends."""
    _prctl(_PR_PARENT_DEATH, 9)


def set_dumpable(value: bool) -> None:
    """Whether others of the same user may trace this process and look into it."""
    _prctl(_PR_DUMPABLE, int(value))


def drop_privileges() -> None:
    """Give up every capability, in every set, for good."""
    _prctl(_PR_NO_NEW_PRIVILEGES, 1)
    for capability in range(_CAPABILITIES):
        if _libc.prctl(_PR_DROP_BOUNDING, capability, 0, 0, 0) < 0:
            break  # the kernel knows no more of them
    header = struct.pack("Ii", 0x20080522, 0)
    number = _MACHINES[platform.machine()][2]
    _checked(_libc.syscall(ctypes.c_long(number), header, bytes(24)), "capset")


def landlock_version() -> int:
    """The version of Landlock that this kernel has; 0 when it has none."""
    return max(int(_libc.syscall(ctypes.c_long(_LANDLOCK[0]), None, 0, 1)), 0)


def allow_writing_only(folders: tuple[str, ...]) -> None:
    """Let Landlock refuse every change to files but below `folders`; nothing where the kernel has no Landlock."""
    version = landlock_version()
    if version == 0:
        return
    # write, remove, make whatever kind, and, as versions allow, refer and truncate; reading is for mounts to bound
    rights = (1 << 1) | sum(1 << bit for bit in range(4, 13))
    rights |= (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0)
    scoped = 0b11 if version >= 6 else 0  # signals and abstract sockets of others
    attributes = struct.pack("QQQ", rights, 0, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = _libc.syscall(ctypes.c_long(_LANDLOCK[0]), attributes, ctypes.c_size_t(len(attributes)), 0)
    _checked(rules, "landlock_create_ruleset")
    for folder in folders:
        descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", rights, descriptor)
        _checked(_libc.syscall(ctypes.c_long(_LANDLOCK[1]), rules, 1, rule, 0), f"landlock_add_rule {folder}")
        os.close(descriptor)
    _checked(_libc.syscall(ctypes.c_long(_LANDLOCK[2]), rules, 0), "landlock_restrict_self")
    os.close(rules)


def refuse_calls() -> None:
    """Let seccomp refuse the system calls that no test needs and that have opened many kernels."""
    machine = platform.machine()
    audit = _MACHINES[machine][0]
    numbers = (*_EVERYWHERE, *_REFUSED[machine])
    load_word, jump_equal, jump_above, give = 0x20, 0x15, 0x35, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050001, 0x80000000
    steps = [(load_word, 0, 0, 4), (jump_equal, 1, 0, audit), (give, 0, 0, kill), (load_word, 0, 0, 0)]
    steps.append((jump_above, len(numbers) + 1, 0, 0x40000000))  # x32, the other way to the same calls
    steps += [(jump_equal, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    steps += [(give, 0, 0, allow), (give, 0, 0, refuse)]
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(buffer))
    _checked(_libc.prctl(_PR_SECCOMP, 2, filter_, 0, 0), "seccomp")


def _prctl(option: int, value: int) -> None:
    _checked(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
