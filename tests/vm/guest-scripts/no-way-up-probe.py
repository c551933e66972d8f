#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tries, one after another, what somebody who has taken over a broker would try.

    no-way-up-probe.py OWN-BUS OTHER-BUS VICTIM-PID [passed]

passed: the own bus is standard input, and then no node is the program's to open.

One line each: the attempt, a tab, and "done" or the errno's name. None of it is destructive where it
succeeds: 40-no-way-up.sh runs it as plain root first, to see that the attempts are real.
"""

import ctypes
import errno
import os
import socket
import subprocess
import sys

own, other, victim = (int(argument) for argument in sys.argv[1:4])
passed = sys.argv[4:] == ["passed"]
libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def connect(kind, path):
    with socket.socket(socket.AF_UNIX, kind) as sock:
        sock.settimeout(5)
        sock.connect(path)


def open_path(path, flags=os.O_RDWR):
    os.close(os.open(path, flags))


def systemctl_start():
    """The way that let uid 0 out of an otherwise complete sandbox: PID 1 does it."""
    run = subprocess.run(["/usr/bin/systemctl", "start", "no-way-up-victim-start.service"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    if run.returncode:
        raise PermissionError(errno.EPERM, run.stderr)


def bus_call():
    run = subprocess.run(["/usr/bin/busctl", "--system", "call", "org.freedesktop.systemd1",
                          "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StartUnit",
                          "ss", "no-way-up-victim-start.service", "replace"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    if run.returncode:
        raise PermissionError(errno.EPERM, run.stderr)


def ask_passed():
    functions = ctypes.c_ulong()
    checked(libc.ioctl(0, 0x0705, ctypes.byref(functions)))  # I2C_FUNCS


def open_again():
    open_path("/proc/self/fd/0", os.O_RDONLY)


def make_node():
    path = f"/var/tmp/no-way-up-{os.getpid()}"  # /tmp may be a file system without devices
    os.mknod(path, 0o20600, os.makedev(89, other))
    try:
        open_path(path)
    finally:
        os.unlink(path)


def ptrace():
    pid = victim
    checked(libc.ptrace(0x4206, pid, None, None))  # PTRACE_SEIZE
    checked(libc.ptrace(0x4207, pid, None, None))  # INTERRUPT, as only a stopped one can be let go
    os.waitpid(pid, 0x40000000)
    checked(libc.ptrace(17, pid, None, None))


def read_memory():
    class Span(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
    with open(f"/proc/{victim}/maps", encoding="ascii") as maps:
        start = int(maps.readline().split("-")[0], 16)
    buffer = ctypes.create_string_buffer(16)
    local = Span(ctypes.addressof(buffer), 16)
    remote = Span(start, 16)
    checked(libc.process_vm_readv(victim, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))


def mount():
    os.makedirs("/tmp/no-way-up.mount", exist_ok=True)
    try:
        checked(libc.mount(b"none", b"/tmp/no-way-up.mount", b"tmpfs", 0, None))
        checked(libc.umount2(b"/tmp/no-way-up.mount", 2))
    finally:
        os.rmdir("/tmp/no-way-up.mount")


def in_child(action):
    """What changes the process for good is tried in another one."""
    def attempt():
        child = os.fork()
        if child == 0:
            try:
                action()
                os._exit(0)
            except OSError as error:
                os._exit(error.errno)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            raise OSError(status, os.strerror(status))
    return attempt


def unshare(flags):
    return in_child(lambda: checked(libc.unshare(flags)))


def become_root():
    os.setresuid(0, 0, 0)


def run_setuid():
    run = subprocess.run(["/usr/local/bin/no-way-up-id", "-u"], capture_output=True, text=True, timeout=20)
    if run.stdout.strip() != "0":
        raise PermissionError(errno.EPERM, run.stdout + run.stderr)


def many_processes():
    children = []
    try:
        for _ in range(8):
            child = os.fork()
            if child == 0:
                os.read(wait_read, 1)
                os._exit(0)
            children.append(child)
    finally:
        os.write(wait_write, b"." * len(children))
        for child in children:
            os.waitpid(child, 0)


def writable_code():
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    address = libc.mmap(None, 4096, 7, 0x22, -1, 0)
    if address == ctypes.c_void_p(-1).value:
        checked(-1)


def write_over(path):
    """Writes back what it reads: a success changes nothing."""
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(content.rstrip(b"\n"))


def create_in(folder):
    path = f"{folder}/no-way-up"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.unlink(path)


def load_module():
    # an empty image: whoever may load modules learns that it is none
    try:
        checked(libc.syscall(175, b"", 0, b""))
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise


def bpf():
    attributes = ctypes.create_string_buffer(
        b"".join(number.to_bytes(4, "little") for number in (2, 4, 4, 1)) + bytes(112), 128)
    os.close(checked(libc.syscall(321, 0, attributes, 128)))  # BPF_MAP_CREATE, an array


def set_clock():
    import time
    time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME))


def setuid_file():
    path = f"/tmp/no-way-up-suid-{os.getpid()}"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    try:
        os.chmod(path, 0o4755)
    finally:
        os.unlink(path)


def inet():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))


def move_cgroup():
    with open("/proc/self/cgroup", encoding="ascii") as own_cgroup:
        path = "/sys/fs/cgroup" + own_cgroup.readline().strip().split(":")[2] + "/cgroup.procs"
    with open(path, "w", encoding="ascii") as procs:
        procs.write(str(os.getpid()))


wait_read, wait_write = os.pipe()
STREAM, PACKET = socket.SOCK_STREAM, socket.SOCK_SEQPACKET
node = f"/dev/i2c-{own}"
attempts = {
    ("" if passed else "own: ") + "open the bus it is for": lambda: open_path(node),
    **({"own: ask the bus it was passed": ask_passed, "open what it was passed again": open_again} if passed else {}),
    "own: read what udev knows of it": lambda: open(f"/run/udev/data/c89:{own}", "rb").close(),
    # PID 1
    "start a unit with systemctl": systemctl_start,
    "start a unit over D-Bus": bus_call,
    "connect to PID 1's private socket": lambda: connect(STREAM, "/run/systemd/private"),
    "connect to the D-Bus socket": lambda: connect(STREAM, "/run/dbus/system_bus_socket"),
    "connect to udev's control socket": lambda: connect(PACKET, "/run/udev/control"),
    "connect to an abstract socket of the host": lambda: connect(STREAM, "\0no-way-up"),
    "enter PID 1's root folder": lambda: os.close(os.open("/proc/1/root/run", os.O_RDONLY | os.O_DIRECTORY)),
    # hardware
    "open another bus": lambda: open_path(f"/dev/i2c-{other}"),
    "make a node of another bus and open it": make_node,
    "connect to another bus's door": lambda: connect(PACKET, f"/run/rgbroker/i2c-{other}"),
    "connect to its own admin door": lambda: connect(PACKET, f"/run/rgbroker/admin/i2c-{own}"),
    "open its node to everybody": lambda: os.chmod(node, os.stat(node).st_mode & 0o7777),
    "open /dev/mem": lambda: open_path("/dev/mem", os.O_RDONLY),
    "open the disk": lambda: open_path("/dev/vda", os.O_RDONLY),
    "get I/O ports": lambda: checked(libc.ioperm(0x80, 1, 1)),
    "load a module": load_module,
    "set the clock": set_clock,
    "load a BPF map": bpf,
    # other processes
    "signal another service": lambda: os.kill(victim, 0),
    "trace another service": ptrace,
    "read another service's memory": read_memory,
    "see another service": lambda: os.stat(f"/proc/{victim}"),
    "start many processes": many_processes,
    "leave for another control group": move_cgroup,
    # itself
    "become root": in_child(become_root),
    "run a set-uid program": run_setuid,
    "make a set-uid program": setuid_file,
    "make memory writable and executable": writable_code,
    "mount": mount,
    "enter a user namespace": unshare(0x10000000),
    "enter a mount namespace": unshare(0x00020000),
    # the network
    "open an internet socket": inet,
    "open a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15).close(),
    # files
    "read /etc/shadow": lambda: open_path("/etc/shadow", os.O_RDONLY),
    "list /root": lambda: os.listdir("/root"),
    "write in /etc": lambda: create_in("/etc"),
    "write in /usr": lambda: create_in("/usr/libexec/rgbroker"),
    "write in /run": lambda: create_in("/run"),
    "write a device file of its own": lambda: create_in("/run/rgbroker"),
    "set core_pattern": lambda: write_over("/proc/sys/kernel/core_pattern"),
    "let the kernel bind a driver to a chip":
        lambda: open_path(f"/sys/bus/i2c/devices/i2c-{own}/new_device", os.O_WRONLY),
}

for name, attempt in attempts.items():
    try:
        attempt()
        outcome = "done"
    except OSError as error:
        outcome = errno.errorcode.get(error.errno, str(error))
    except Exception as error:  # anything else is a mistake of this script and must be seen
        outcome = f"{type(error).__name__}: {error}"
    print(f"{name}\t{outcome}", flush=True)
