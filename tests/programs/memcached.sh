#!/bin/bash
# memcached with four threads: several clients, pipelined commands, a large value, UDP.
. "$(dirname "$0")/inside.sh"
user=()
[ "$(id -u)" != 0 ] || user=(-u root)
start server memcached "${user[@]}" -l 127.0.0.1 -p "$PORT" -U $((PORT + 1)) -t 4 -m 32
serving 127.0.0.1 "$PORT"
timeout 60 python3 - "$PORT" <<'PYTHON'
import socket, sys

port = int(sys.argv[1])
clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
for number, client in enumerate(clients):
    client.sendall(b"".join(b"set k%d.%d 0 0 5\r\nvalue\r\n" % (number, i) for i in range(200)))
answers = [client.makefile("rb") for client in clients]
for answer in answers:
    assert [answer.readline() for _ in range(200)] == [b"STORED\r\n"] * 200
for number, client in enumerate(clients):
    client.sendall(b"get k%d.7\r\n" % ((number + 1) % 8))
    assert [answers[number].readline() for _ in range(3)][1:] == [b"value\r\n", b"END\r\n"]
large = b"v" * 900000
clients[0].sendall(b"set large 0 0 %d\r\n%s\r\nget large\r\n" % (len(large), large))
assert answers[0].readline() == b"STORED\r\n" and answers[0].readline().startswith(b"VALUE large")
assert answers[0].read(len(large)) == large
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
    datagrams.settimeout(5)
    datagrams.sendto(b"\0\1\0\0\0\1\0\0get k0.0\r\n", ("127.0.0.1", port + 1))
    assert datagrams.recv(2000)[8:] == b"VALUE k0.0 0 5\r\nvalue\r\nEND\r\n"
PYTHON
