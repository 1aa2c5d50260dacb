"""What a child that reads foreign bytes may not do any more: open files, speak to anybody, start programs.

Three layers, each where the system has it: no new privileges, Landlock (no path can be opened) and a seccomp
filter. Files that the child may read and write were opened by its parent. Numbers are from the kernel's
own headers (``asm/unistd.h``, ``linux/landlock.h``, ``linux/seccomp.h``); there is no library for it here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

LAYERS = ("landlock", "seccomp")
_NO_NEW_PRIVS = 38
_CREATE_RULESET, _RESTRICT_SELF, _ABI_VERSION = 444, 446, 1
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_FILTER, _AVAILABLE, _ALL_THREADS = 1, 2, 1
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_THREAD = 0x10000  # CLONE_THREAD
_X32 = 0x40000000

_FILES = {  # name: (x86_64, aarch64); None: there is no such call
    "open": (2, None),
    "creat": (85, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "chdir": (80, 49),
}
_REST = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "kill": (62, 129),
    "tkill": (200, 130),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
_CLONE, _CLONE3, _PRLIMIT = (56, 220), (435, 435), (302, 261)


def available() -> tuple[str, ...]:
    """Which of ``landlock`` and ``seccomp`` this system has for a child."""
    if not _known():
        return ()
    found = ("landlock",) if _landlock_version() > 0 else ()
    action = struct.pack("I", _ERRNO)
    has = _call(_SECCOMP[platform.machine()], _AVAILABLE, 0, action) == 0
    return (*found, "seccomp") if has else found


def confine() -> tuple[str, ...]:
    """Give up, for good, whatever is not needed to turn handed-over bytes into others; what took effect.

    Everything has to be imported before. Elsewhere than on Linux, and on other processors, nothing happens.
    """
    if not _known():
        return ()
    if ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return ()
    done = ("landlock",) if _landlock() else ()
    return (*done, "seccomp") if _seccomp() else done


def _known() -> bool:
    return sys.platform == "linux" and platform.machine() in _ARCH and sys.maxsize > 2**32


def _call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """A system call; -1 where it fails."""
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return int(call(ctypes.c_long(number), *wide))


def _landlock_version() -> int:
    return _call(_CREATE_RULESET, None, 0, _ABI_VERSION)


def _landlock() -> bool:
    """No path is allowed, no TCP port, and no signal or abstract socket outside, as far as it knows them."""
    version = _landlock_version()
    if version < 1:
        return False
    rights = 13 + (version >= 2) + (version >= 3) + (version >= 5)
    words = [(1 << rights) - 1]
    words += [3] if version >= 4 else []
    words += [3] if version >= 6 else []
    attributes = struct.pack(f"={len(words)}Q", *words)
    rules = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return False
    done = _call(_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return done


def _seccomp() -> bool:
    """The filter, for every thread there is."""
    program = ctypes.create_string_buffer(_program())
    count = (len(program) - 1) // 8
    described = struct.pack("HxxxxxxP", count, ctypes.addressof(program))
    return _call(_SECCOMP[platform.machine()], _FILTER, _ALL_THREADS, described) == 0


def _program() -> bytes:
    """The filter as BPF: a look at the processor and the number, and a pair of steps for each call."""
    machine = platform.machine()
    column = list(_ARCH).index(machine)
    code = [_step(_LOAD, _ARCH_AT), _step(_EQUAL, _ARCH[machine], 1, 0), _step(_RETURN, _KILL)]
    code.append(_step(_LOAD, _NUMBER_AT))
    if machine == "x86_64":
        code += [_step(_AT_LEAST, _X32, 0, 1), _step(_RETURN, _KILL)]
    for calls, number in ((_FILES, errno.EACCES), (_REST, errno.EPERM)):
        for call in (pair[column] for pair in calls.values()):
            if call is not None:
                code += [_step(_EQUAL, call, 0, 1), _step(_RETURN, _ERRNO | number)]
    # Threads: glibc tries `clone3`, whose flags cannot be seen here, and falls back to `clone`.
    code += [_step(_EQUAL, _CLONE3[column], 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    code += [_step(_EQUAL, _CLONE[column], 0, 4), _step(_LOAD, _FIRST_ARGUMENT_AT)]
    code += [_step(_ANY_BIT, _THREAD, 0, 1), _step(_RETURN, _ALLOW), _step(_RETURN, _ERRNO | errno.EPERM)]
    # Limits: one's own only.
    code += [_step(_EQUAL, _PRLIMIT[column], 0, 3), _step(_LOAD, _FIRST_ARGUMENT_AT)]
    code += [_step(_EQUAL, 0, 1, 0), _step(_RETURN, _ERRNO | errno.EPERM), _step(_RETURN, _ALLOW)]
    return b"".join(code)


def _step(what: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", what, then, otherwise, value)
