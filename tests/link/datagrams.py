# Numbered datagrams from one socket to another: prints how many never came, came twice, came late.
import socket
import time

COUNT = 500
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
numbers = []


def receive(seconds):
    receiver.settimeout(seconds)
    try:
        while True:
            numbers.append(int(receiver.recv(100)))
    except (BlockingIOError, socket.timeout):
        pass


for number in range(COUNT):
    sender.sendto(b"%d" % number, receiver.getsockname())
    time.sleep(0.0005)
    receive(0)
receive(0.5)
late = sum(a > b for a, b in zip(numbers, numbers[1:]))
print(f"lost {COUNT - len(set(numbers))} twice {len(numbers) - len(set(numbers))} late {late}")
