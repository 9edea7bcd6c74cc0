"""The article's Python client: each line of standard input is a message, whose answer is shown before the
next is asked for; "q" ends. Usage: client.py [PORT]"""

import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
connection = socket.socket()
connection.connect(("127.0.0.1", port))
while (message := input("Message -> ")) != "q":
    connection.send(message.encode())
    answer = connection.recv(1024)
    print(f"Received from server: {answer.decode()}")
connection.close()
