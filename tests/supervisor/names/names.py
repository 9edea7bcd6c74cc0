import socket
import sys

for name in sys.argv[1:]:
    try:
        for address in dict.fromkeys(info[4][0] for info in socket.getaddrinfo(name, None)):
            try:
                back = socket.gethostbyaddr(address)[0]
            except OSError:
                back = "nobody"
            print(f"{name}: {address}, which is {back}")
    except OSError:
        print(f"{name}: not found")
