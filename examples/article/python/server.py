"""The article's Python server: for each client, every message is shown and answered with the next line of
standard input, until the client has ended. Usage: server.py [PORT]"""

import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen()
print("ready", file=sys.stderr, flush=True)

while True:
    client, address = listener.accept()
    print(f"Connected to {address}", flush=True)
    while True:
        message = client.recv(1024)
        if not message:
            break
        print(f"Received from client: {message.decode()}", flush=True)
        client.send(input("Message -> ").encode())
    client.close()
    print("The client has ended", flush=True)
