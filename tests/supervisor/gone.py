"""kill -9 of the supervisor: every call that a program is in, or makes then, ends with an end of file or an
error within a second, never a hang. kill -9 of the front ends the host; its program is hung up."""

import signal
import sys
import time

from host import Host, attempt, is_alive, kill, run, until

ENDS_WITHIN_S = 1.0

# Brings itself into the moment that its argument names, says so, and says when that is over, and how.
PROGRAM = """
import os, select, signal, socket, sys, threading, time
moment = sys.argv[1]
s = socket.create_server(('127.0.0.1', 0))
c = socket.create_connection(s.getsockname()); a, _ = s.accept()
u = socket.socket(type=socket.SOCK_DGRAM); u.bind(('127.0.0.1', 0))
v = socket.socket(type=socket.SOCK_DGRAM); v.connect(u.getsockname())
def poll(f, events=select.POLLIN):
    p = select.poll(); p.register(f, events); return p.poll()
def epoll(f):
    e = select.epoll(); e.register(f, select.EPOLLIN); return e.poll()
def fill():
    while True: c.send(bytes(65536))
def connect():
    full = socket.create_server(('127.0.0.1', 0), backlog=0); kept = []
    while True: kept.append(socket.create_connection(full.getsockname()))
def connecting():
    full = socket.create_server(('127.0.0.1', 0), backlog=0)
    kept = [socket.socket() for _ in range(9)]
    for k in kept: k.setblocking(False); k.connect_ex(full.getsockname())
    return poll(kept[-1], select.POLLOUT)
def write():
    while True: os.write(c.fileno(), bytes(65536))
def later(what):
    while os.getppid() == parent: time.sleep(0.01)
    return what()
parent = os.getppid()
moments = {
    'read': lambda: os.read(c.fileno(), 9), 'recv': lambda: a.recv(9), 'write': write, 'send': fill,
    'recvfrom on a stream': lambda: c.recvfrom(9), 'recvmsg': lambda: c.recvmsg(9),
    'accept': lambda: s.accept(), 'connect': connect, 'connecting, then poll': connecting,
    'poll': lambda: poll(c), 'epoll': lambda: epoll(c), 'select': lambda: select.select([c], [], []),
    'poll of a listener': lambda: poll(s), 'epoll of a listener': lambda: epoll(s),
    'recvfrom on UDP': lambda: u.recvfrom(9), 'recv on UDP': lambda: u.recv(9),
    'poll of UDP': lambda: poll(u),
    'a new socket': lambda: later(socket.socket), 'a new bind': lambda: later(lambda: s.getsockname()),
    'a send afterwards': lambda: later(lambda: [c.send(b'x') for _ in range(3)]),
    'sendto afterwards': lambda: later(lambda: u.sendto(b'x', ('127.0.0.1', 9))),
}
signal.signal(signal.SIGHUP, signal.SIG_IGN)
print('ready', os.getpid())
def end(how):
    os.write(1, f'{time.monotonic()} {how}\\n'.encode())
try: end(f'gave {moments[moment]()!r:.40}')
except OSError as e: end(f'failed: {e}')
"""

MOMENTS = [
    "read", "recv", "write", "send", "recvfrom on a stream", "recvmsg", "accept", "connect", "connecting, then poll",
    "poll", "epoll", "select", "poll of a listener", "epoll of a listener", "recvfrom on UDP", "recv on UDP",
    "poll of UDP", "a new socket", "a new bind", "a send afterwards",
    "sendto afterwards",
]


def supervisor_killed():
    """All moments at once, each a program of its own in one host; the ends of all of them."""
    ends = {}
    with Host() as host:
        children = {moment: host.python(PROGRAM, moment) for moment in MOMENTS}
        pids = {}
        for moment, child in children.items():
            word, pid = child.stdout.readline().split()
            pids[moment] = int(pid)
        time.sleep(0.3)
        supervisor = host.info()["supervisor"]
        killed = time.monotonic()
        kill(supervisor)
        until(lambda: not any(is_alive(pid) for pid in pids.values()), 2)
        for moment, child in children.items():
            # A program that hangs would keep the pipe open.
            kill(pids[moment])
            ends[moment] = child.stdout.read().strip()
        status = host.front.wait(3)
    return killed, ends, status


def judge(killed, end):
    if not end:
        return "still hangs 2 s after the supervisor was killed"
    at, how = end.split(" ", 1)
    if float(at) < killed:
        return f"was over before the supervisor was killed: {how}"
    return f"took {float(at) - killed:.2f} s: {how}" if float(at) - killed > ENDS_WITHIN_S else ""


killed, ends, status = supervisor_killed()
for moment in MOMENTS:
    attempt(f"supervisor killed: {moment}", judge, killed, ends[moment])
attempt("supervisor killed: the front says 125", lambda: "" if status == 125 else f"status {status}")


def front_killed():
    """The host ends with its front, and the program gets SIGHUP a second later at the most."""
    with Host(sys.executable, "-c", "import signal, time; time.sleep(60)") as host:
        info = host.info()
        kill(host.front.pid)
        if not until(lambda: not is_alive(info["program"]), 3):
            kill(info["program"])
            return "its program goes on"
        if not until(lambda: not is_alive(info["supervisor"]), 3):
            return "its supervisor goes on"
        return "its host is still listed" if host.info() else ""


def front_terminated():
    """A program that ends by SIGTERM ends its front with 128 + 15."""
    with Host() as host:
        kill(host.front.pid, signal.SIGTERM)
        status = host.front.wait(3)
        return "" if status == 143 else f"status {status}"


def sockets_end_with_the_front():
    """A program that ignores SIGHUP reads the end of its connections."""
    code = ("import os, signal, socket\n"
            "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
            "s = socket.create_server(('127.0.0.1', 0))\n"
            "c = socket.create_connection(s.getsockname()); a, _ = s.accept()\n"
            "print(os.getpid())\n"
            "try: c.recv(1)\n"
            "except OSError: pass\n")
    with Host(sys.executable, "-uc", code) as host:
        pid = int(host.front.stdout.readline())
        kill(host.front.pid)
        gone = until(lambda: not is_alive(pid), 2)
        kill(pid)
        return "" if gone else "its read still hangs 2 s later"


attempt("front killed: host and program end", front_killed)
attempt("front killed: connections end", sockets_end_with_the_front)
attempt("front terminated: so is the program", front_terminated)
attempt("a new host afterwards", lambda: run("true").stderr)
