"""Another user's process that finds a carrier's abstract name (/proc/net/unix shows them to everybody) and
connects to it or sends to it changes nothing. Without root there is no other user to be: then ourselves."""

import subprocess
import sys

from host import IS_ROOT, NOBODY, Host, attempt

STRANGER = NOBODY if IS_ROOT else []

# Serves streams and datagrams, in turn, as its clients ask.
SERVER = """
import select, socket
s = socket.create_server(('127.0.0.1', 80))
u = socket.socket(type=socket.SOCK_DGRAM); u.bind(('127.0.0.1', 80))
v = socket.socket(type=socket.SOCK_DGRAM); v.bind(('127.0.0.1', 81))
print('ready')
seen = 0
while True:
    for f in select.select([s, u], [], [])[0]:
        if f is s:
            s.setblocking(False)
            try: c, peer = s.accept()
            except BlockingIOError: continue
            c.setblocking(True); text = c.recv(99); c.sendall(text + b' from ' + peer[0].encode()); c.close()
        else:
            u.setblocking(False)
            try: text, peer = u.recvfrom(99)
            except BlockingIOError: continue
            u.sendto(text + b' from ' + peer[0].encode(), peer)
"""

CLIENT = """
import socket
for _ in range(5):
    c = socket.create_connection(('127.0.0.1', 80)); c.settimeout(3); c.sendall(b'x'); assert c.recv(99) == b'x from 127.0.0.1'
    u = socket.socket(type=socket.SOCK_DGRAM); u.settimeout(3); u.sendto(b'y', ('127.0.0.1', 80))
    assert u.recvfrom(99) == (b'y from 127.0.0.1', ('127.0.0.1', 80))
print('as before')
"""

# Tries all it can on every abstract name that it is given.
INTRUDER = """
import socket, sys
for name in sys.argv[1:]:
    name = b'\\0' + bytes.fromhex(name)
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for _ in range(20):
            s = socket.socket(socket.AF_UNIX, kind); s.settimeout(0.02)
            try: s.connect(name); s.send(b'from a stranger')
            except OSError: pass
            try: s.sendto(b'from a stranger', name)
            except OSError: pass
            if kind == socket.SOCK_DGRAM: s.close()
            else: kept = s
print('tried', len(sys.argv) - 1)
"""


def abstract_names():
    """Every abstract name of the machine, as hexadecimal text."""
    with open("/proc/net/unix", errors="surrogateescape") as file:
        rows = [line.rstrip("\n").split(" ") for line in file]
    names = {row[-1] for row in rows if row[-1].startswith("@")}
    return {name[1:].encode(errors="surrogateescape").hex() for name in names}


def intruded(options):
    before = abstract_names()
    with Host(sys.executable, "-uc", SERVER, options=options) as host:
        host.front.stdout.readline()
        if (first := host.exec(sys.executable, "-c", CLIENT)).stdout != "as before\n":
            return f"it does not even work undisturbed: {first.stderr[-300:]}"
        names = sorted(abstract_names() - before)
        if not names:
            return "no abstract name to be seen: the test is blind"
        attack = subprocess.run([*STRANGER, sys.executable if not STRANGER else "/usr/bin/python3", "-c", INTRUDER, *names],
                                capture_output=True, text=True, timeout=60, cwd="/")
        if not attack.stdout.startswith("tried"):
            return f"the stranger failed: {attack.stderr[-300:]}"
        after = host.exec(sys.executable, "-c", CLIENT)
        if after.stdout != "as before\n":
            return f"clients fail afterwards: {after.stderr[-300:]}"
        return "" if host.front.poll() is None else "the server ended"


def control_is_closed():
    """The control socket takes no other user's request."""
    import os
    if not IS_ROOT:
        return ""
    with Host() as host:
        path = os.path.join(os.environ["XDG_RUNTIME_DIR"], "sockeye", f"{host.name}.sock")
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"
        answer = subprocess.run([*NOBODY, "/usr/bin/python3", "-c", code], capture_output=True, text=True, cwd="/")
        return "" if "Permission denied" in answer.stderr else answer.stderr[-200:] or "it connects"


for path, options in (("engine", []), ("direct", ["--direct"])):
    attempt(f"a stranger's connections and datagrams, {path}", intruded, options)
attempt("the control socket", control_is_closed)
