"""A line client. Usage: client.py ADDRESS PORT"""

import socket
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as server, server.makefile("rb") as answers:
    for line in sys.stdin.buffer:
        server.sendall(line)
        sys.stdout.buffer.write(answers.readline())
    server.shutdown(socket.SHUT_WR)
    sys.exit(answers.read() != b"")
