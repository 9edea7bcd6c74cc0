"""Sends each line as one datagram and prints the answer. Usage: datagram_client.py ADDRESS PORT"""

import socket
import sys

family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as client:
    client.settimeout(5)
    client.connect((sys.argv[1], int(sys.argv[2])))
    for line in sys.stdin.buffer:
        client.send(line)
        sys.stdout.buffer.write(client.recv(65536))
