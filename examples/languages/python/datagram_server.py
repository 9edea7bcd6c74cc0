"""A datagram echo server. Usage: datagram_server.py ADDRESS PORT"""

import socket
import sys

family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as server:
    server.bind((sys.argv[1], int(sys.argv[2])))
    print("ready", file=sys.stderr, flush=True)
    while True:
        message, sender = server.recvfrom(65536)
        server.sendto(message, sender)
