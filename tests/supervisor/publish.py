"""`sockeye run -p`: a port of the machine that leads into the host, with the client's true address."""

import re
import socket
import subprocess
import sys

from host import SOCKEYE, Host, attempt, run

# Says who its peer is, then sends back what it gets until the end.
SERVER = """
import socket, sys, threading
s = socket.create_server((sys.argv[1], 80), family=socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, backlog=64)
print('ready')
def serve(c, peer):
    c.sendall(f'{peer[0]} {peer[1]}\\n'.encode())
    while data := c.recv(65536): c.sendall(data)
    c.close()
while True: threading.Thread(target=serve, args=s.accept(), daemon=True).start()
"""


class Published(Host):
    def __init__(self, option, address="0.0.0.0"):
        super().__init__(sys.executable, "-uc", SERVER, address, options=["-p", option], stderr=subprocess.PIPE)
        self.front.stdout.readline()

    def port(self):
        line = self.front.stderr.readline()
        return int(re.search(r":(\d+) leads to port 80", line).group(1))


def peer_is_true(option, to, address):
    with Published(option, address) as host:
        client = socket.create_connection((to, host.port()), 5)
        first = client.makefile().readline().split()
        own = client.getsockname()[:2]
        return "" if first == [own[0], str(own[1])] else f"the server sees {first}, the client is {own}"


def bytes_come_back():
    with Published("0:80") as host:
        client = socket.create_connection(("127.0.0.1", host.port()), 10)
        reader = client.makefile("rb")
        reader.readline()
        data = bytes(range(256)) * 4000
        sender = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdout.buffer.write(bytes(range(256)) * 4000)"],
                                  stdout=client.fileno())
        got = reader.read(len(data))
        sender.wait()
        client.shutdown(socket.SHUT_WR)
        return "" if got == data and reader.read(1) == b"" else f"{len(got)} bytes, or no end"


def many_clients():
    with Published("0:80") as host:
        port = host.port()
        clients = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(40)]
        seen = {tuple(c.makefile().readline().split()) for c in clients}
        return "" if seen == {("127.0.0.1", str(c.getsockname()[1])) for c in clients} else "a wrong peer"


def given_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Published(f"127.0.0.1:{port}:80"):
        client = socket.create_connection(("127.0.0.1", port), 5)
        return "" if client.makefile().readline() else "no answer"


def busy_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = run("true", options=["-p", f"{taken.getsockname()[1]}:80"])
        one_line = len(answer.stderr.splitlines()) == 1
        fine = answer.returncode == 125 and one_line and str(taken.getsockname()[1]) in answer.stderr
        return "" if fine else f"status {answer.returncode}: {answer.stderr}"


def wrong_option():
    statuses = [run("true", options=["-p", text]).returncode for text in ("80", "x:80", "1:0", "99999:80", "nowhere:1:2")]
    return "" if set(statuses) == {125} else f"{statuses}"


def nobody_listens():
    """A client is refused or ended at once where the host has no listener."""
    with Host(options=["-p", "0:80"], stderr=subprocess.PIPE) as host:
        port = Published.port(host)
        try:
            client = socket.create_connection(("127.0.0.1", port), 5)
            client.settimeout(3)
            return "" if client.recv(1) == b"" else "bytes from nowhere"
        except ConnectionError:
            return ""


attempt("the client's true address", peer_is_true, "0:80", "127.0.0.1", "0.0.0.0")
attempt("the client's true address, another of the loopback", peer_is_true, "127.9.9.9:0:80", "127.9.9.9", "0.0.0.0")
attempt("the client's true address, IPv6", peer_is_true, "[::1]:0:80", "::1", "::")
attempt("a megabyte and back, and the end", bytes_come_back)
attempt("forty clients", many_clients)
attempt("a port that was asked for", given_port)
attempt("a busy port: a clear error", busy_port)
attempt("a wrong option: 125", wrong_option)
attempt("nobody listens", nobody_listens)
