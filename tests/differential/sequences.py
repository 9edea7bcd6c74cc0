"""Makes sequences of socket calls from a seed.

A sequence is a list of steps, the lines that player.c reads. A rough model of the sockets (what kind, listening,
connected to whom, how much is on its way) steers the choice, so that sequences get deep; it need not be right,
since nothing is expected of a step but that both sides answer the same. Steps whose outcome hangs on time natively
are never made: a partial segment that waits (MSG_MORE, TCP_CORK, Nagle against delayed acknowledgements is waited
for by the player), buffers that are filled to the brim, queues that overflow.
"""

import random

SLOTS, PORTS = 8, 3
OPEN, BOUND, LISTENING, CONNECTING, CONNECTED, SHUT = "open", "bound", "listening", "connecting", "connected", "shut"

HOSTS4 = ["lo4"] * 5 + ["any4"] * 3 + ["lo4b"]
HOSTS6 = ["lo6"] * 5 + ["any6"] * 3 + ["map4", "mapany"]
ODD_HOSTS = ["far4", "far6", "unspec", "lo4", "lo6", "any4", "any6", "map4", "mapany", "mcast4"]

# Level, number, the ints to set; what nobody may set is there to be asked for and refused.
BOOL = [(0,), (1,), (7,)]
SOCKET_OPTIONS = [
    (1, 2, BOOL), (1, 15, BOOL), (1, 3, [(1,)]), (1, 4, [(1,)]), (1, 5, BOOL), (1, 6, BOOL),
    (1, 7, [(0,), (4096,), (20000,), (100000,)]), (1, 8, [(8192,), (20000,), (100000,)]), (1, 9, BOOL),
    (1, 10, BOOL), (1, 12, [(0,), (3,), (6,)]), (1, 13, [(0, 0), (1, 0), (1, 1), (0, 5)]),
    (1, 18, [(0,), (1,), (4,), (-1,)]), (1, 19, [(4,)]), (1, 29, BOOL), (1, 30, [(1,)]), (1, 36, [(0,), (9,)]),
    (1, 38, [(1,)]), (1, 39, [(1,)]), (1, 200, [(1,)]), (1, 20, [(0, 0, 0, 0), (3, 0, 5000, 0), (0, 0, -1, -1)]),
    (1, 21, [(0, 0, 0, 0), (2, 0, 0, 0)]), (77, 1, [(1,)]),
]
IP_OPTIONS = [
    (0, 1, [(0,), (16,), (255,), (3,)]), (0, 2, [(0,), (1,), (64,), (255,), (256,), (-1,)]), (0, 8, BOOL),
    (0, 10, [(0,), (1,), (2,), (3,), (9,)]), (0, 12, BOOL), (0, 13, BOOL), (0, 14, [(1500,)]), (0, 15, BOOL),
    (0, 24, BOOL), (0, 33, [(0,), (1,), (255,), (256,), (-1,)]), (0, 34, BOOL), (0, 230, [(1,)]),
]
IPV6_OPTIONS = [
    (41, 26, BOOL), (41, 16, [(-1,), (0,), (1,), (255,), (256,)]), (41, 67, [(-1,), (0,), (16,), (255,), (256,)]),
    (41, 49, BOOL), (41, 51, BOOL), (41, 18, [(-1,), (0,), (5,), (256,)]), (41, 19, [(0,), (1,), (2,)]),
    (41, 23, [(0,), (1,), (2,), (9,)]), (41, 62, BOOL), (41, 66, BOOL), (41, 230, [(1,)]),
]
TCP_OPTIONS = [
    (6, 1, BOOL), (6, 2, [(0,), (88,), (536,), (1460,), (40000,)]), (6, 4, [(0,), (1,), (60,), (32768,)]),
    (6, 5, [(0,), (1,), (75,), (32768,)]), (6, 6, [(0,), (1,), (127,), (128,)]), (6, 7, [(0,), (1,), (6,), (128,)]),
    (6, 8, [(-1,), (0,), (5,), (100,)]), (6, 9, [(0,)]), (6, 18, [(0,), (5000,), (-1,)]),
    (6, 25, [(0,), (4000,), (-1,)]), (6, 3, [(0,)]), (6, 230, [(1,)]),
]


class Socket:
    """What the model thinks of a slot."""

    def __init__(self, v6, stream, nonblocking):
        self.v6, self.stream, self.nonblocking = v6, stream, nonblocking
        self.state, self.peer, self.waiting, self.has_port = OPEN, None, 0, False


class Maker:
    """One sequence in the making."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.steps = []
        self.sockets = {}

    # ---- choices ----

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, items):
        return self.random.choice(items)

    def slots(self, wanted=lambda socket: True):
        return [slot for slot, socket in self.sockets.items() if wanted(socket)]

    def free_slot(self):
        free = [slot for slot in range(SLOTS) if slot not in self.sockets]
        return free[0] if free else None

    def step(self, *words, beside=True):
        """Adds a step; now and then another process or thread makes the call."""
        text = " ".join(str(word) for word in words)
        if beside and self.chance(0.04):
            text = self.pick(["fork:", "thread:"]) + text
        self.steps.append(text)

    def length(self):
        return self.pick([0, 1, 3, 5, 5, 9, 17, 40, 100, 1000, 5000])

    def host(self, socket):
        if self.chance(0.06):
            return self.pick(ODD_HOSTS)
        return self.pick(HOSTS6 if socket.v6 else HOSTS4)

    # ---- steps ----

    def make_socket(self, v6=None, stream=None):
        slot = self.free_slot()
        if slot is None:
            return self.close(self.pick(self.slots()))
        v6 = self.chance(0.4) if v6 is None else v6
        stream = self.chance(0.6) if stream is None else stream
        socket = Socket(v6, stream, self.chance(0.6))
        self.step("socket", slot, "inet6" if v6 else "inet", "stream" if stream else "dgram",
                  *(["nb"] if socket.nonblocking else []), beside=False)
        self.sockets[slot] = socket
        return slot

    def bind(self, slot, host=None, port=None):
        socket = self.sockets[slot]
        words = ["bind", slot, host or self.host(socket), port or self.pick(["0", "P0", "P0", "P1", "P2"])]
        if self.chance(0.03):
            words.append(self.pick([0, 2, 8, 15, 16, 24, 28, 128]))
        self.step(*words)
        if socket.state == OPEN:
            socket.state = BOUND
        socket.has_port = True

    def listen(self, slot):
        self.step("listen", slot, self.pick([0, 1, 1, 2, 5, 5, 128, -1]))
        socket = self.sockets[slot]
        if socket.stream and socket.state in (OPEN, BOUND):
            socket.state, socket.has_port = LISTENING, True

    def destination(self, slot):
        """Two words of an address: usually of a socket that is there."""
        socket = self.sockets[slot]
        same = self.slots(lambda other: other.stream == socket.stream and other.has_port)
        listening = [other for other in same if self.sockets[other].state == LISTENING]
        if socket.stream and listening and self.chance(0.85):
            same = listening
        if same and self.chance(0.88):
            other = self.pick(same)
            if self.sockets[other].v6 == socket.v6 and self.chance(0.5):
                return other, ["of", other]
            if self.sockets[other].v6 and not socket.v6:
                return other, ["lo4", f"@{other}"]
            host = "map4" if socket.v6 and not self.sockets[other].v6 else self.host(socket)
            return other, [host, f"@{other}"]
        if self.chance(0.1):
            return None, [self.pick(["unspec", "lo4", "lo6", "any4", "any6", "map4"]), self.pick(["0", "P2"])]
        return None, [self.host(socket).replace("far", "lo"), self.pick(["P0", "P1", "P2"])]

    def connect(self, slot):
        socket = self.sockets[slot]
        peer, words = self.destination(slot)
        if words[0] in ("far4", "far6", "mcast4"):
            words[0] = "lo6" if socket.v6 else "lo4"
        if self.chance(0.03):
            words.append(self.pick([0, 2, 8, 15, 16, 24, 28]))
        self.step("connect", slot, *words)
        if words[0] == "unspec":
            socket.state, socket.peer = OPEN, None
        elif socket.stream and peer is not None and self.sockets[peer].state == LISTENING:
            self.sockets[peer].waiting += 1
            socket.state, socket.peer = CONNECTED, ("queue", peer)
        elif not socket.stream:
            socket.state, socket.peer = CONNECTED, peer
        socket.has_port = True

    def accept(self, slot):
        new = self.free_slot()
        listener = self.sockets[slot]
        if new is None or not listener.nonblocking and not listener.waiting and self.chance(0.9):
            return
        nonblocking = self.chance(0.6)
        flags = ["nb"] if nonblocking else ["bad"] if self.chance(0.04) else []
        self.step("accept", slot, new, *flags, beside=False)
        if listener.waiting and "bad" not in flags:
            listener.waiting -= 1
            self.sockets[new] = Socket(listener.v6, True, nonblocking)
            self.sockets[new].state, self.sockets[new].has_port = CONNECTED, True
            for other, socket in self.sockets.items():
                if socket.peer == ("queue", slot):
                    socket.peer, self.sockets[new].peer = new, other
                    break

    def send_flags(self):
        flags = [flag for flag, chance in (("NOSIGNAL", 0.5), ("DONTWAIT", 0.2)) if self.chance(chance)]
        return "|".join(flags) or "0"

    def send(self, slot):
        socket = self.sockets[slot]
        target, to = None, ["-", "-"]
        if (not socket.stream and self.chance(0.7)) or self.chance(0.05):
            target, to = self.destination(slot)
            if socket.stream and to[0] == "unspec":
                to[0] = "lo4"
        how = self.pick(["send", "send", "sendto", "sendmsg", "write", "writev"])
        if to[0] != "-" and how not in ("sendto", "sendmsg"):
            how = "sendto"
        pieces = ",".join(str(self.length()) for _ in range(self.random.randint(1, 3)))
        if how == "write":
            self.step(how, slot, self.length())
        elif how == "writev":
            self.step(how, slot, pieces)
        elif how == "sendmsg":
            self.step(how, slot, pieces, self.send_flags(), *to)
        else:
            self.step(how, slot, self.length(), self.send_flags(), *(to if how == "sendto" else []))
        receiver = socket.peer if to[0] == "-" else target
        if receiver in self.sockets:
            self.sockets[receiver].waiting += 1

    def receive(self, slot):
        socket = self.sockets[slot]
        if not socket.nonblocking and not socket.waiting and socket.state != SHUT and self.chance(0.92):
            return
        flags = [flag for flag, chance in (
            ("PEEK", 0.2), ("DONTWAIT", 0.2), ("TRUNC", 0.08),
            ("WAITALL", 0.1 if socket.nonblocking else 0.03), ("ERRQUEUE", 0.02)) if self.chance(chance)]
        flags = "|".join(flags) or "0"
        how = self.pick(["recv", "recv", "recvfrom", "recvmsg", "read", "readv"])
        length = self.pick([0, 1, 4, 10, 100, 2000, 60000])
        pieces = ",".join(str(self.pick([1, 4, 100, 3000])) for _ in range(self.random.randint(1, 3)))
        if how == "read":
            self.step(how, slot, length)
        elif how == "readv":
            self.step(how, slot, pieces)
        else:
            self.step(how, slot, pieces if how == "recvmsg" else length, flags,
                      *(["bare"] if how == "recvmsg" and self.chance(0.3) else []))
        if "PEEK" not in flags:
            socket.waiting = max(0, socket.waiting - 1)

    def shutdown(self, slot):
        self.step("shutdown", slot, self.pick([0, 1, 1, 1, 2, 2, 3]))
        socket = self.sockets[slot]
        if socket.state == LISTENING:
            socket.state = BOUND
        elif socket.state == CONNECTED and socket.peer in self.sockets:
            self.sockets[socket.peer].state = SHUT

    def close(self, slot):
        self.step("close", slot, beside=False)
        socket = self.sockets.pop(slot)
        if socket.peer in self.sockets:
            self.sockets[socket.peer].state = SHUT

    def duplicate(self, slot):
        new = self.free_slot()
        if new is not None:
            self.step("dup", slot, new, beside=False)
            self.sockets[new] = self.sockets[slot]

    def option(self, slot):
        socket = self.sockets[slot]
        lists = [SOCKET_OPTIONS] * 3 + [IP_OPTIONS if not socket.v6 else IPV6_OPTIONS] * 2
        lists += [TCP_OPTIONS] * 2 if socket.stream else []
        if self.chance(0.08):
            lists = [IP_OPTIONS, IPV6_OPTIONS, TCP_OPTIONS]
        level, number, values = self.pick(self.pick(lists))
        length = 4 * len(self.pick(values))
        if self.chance(0.7):
            value = self.pick(values)
            if self.chance(0.08):
                length = self.pick([0, 1, 3, 4, 8])
            self.step("setopt", slot, level, number, length, *value)
        if self.chance(0.6):
            room = self.pick([0, 1, 3, 8, 64]) if self.chance(0.1) else max(length, 4)
            self.step("getopt", slot, level, number, room)

    def ask(self, slot):
        how = self.pick(["getsockname"] * 4 + ["getpeername"] * 4 + ["error"] * 4 + ["inq", "outq", "getfl", "atmark"])
        if how == "error":
            self.step("getopt", slot, 1, 4, 4)
        elif how in ("getsockname", "getpeername") and self.chance(0.1):
            self.step(how, slot, self.pick([0, 2, 8]))
        else:
            self.step(how, slot)

    def blocking(self, slot):
        value = self.random.randint(0, 1)
        self.step(self.pick(["nonblock", "setfl"]), slot, value)
        self.sockets[slot].nonblocking = bool(value)

    def wrong(self):
        """Bad arguments and descriptors that nobody has opened."""
        slot = self.pick(self.slots()) if self.sockets and self.chance(0.8) else 9
        call = self.pick(["bind", "connect", "getsockname", "getpeername", "setsockopt", "getsockopt", "sendto",
                          "sendmsg", "recvmsg", "send"])
        if slot == 9 and self.chance(0.7):
            words = self.pick([["listen", 9, 1], ["shutdown", 9, 1], ["send", 9, 3, 0], ["recvfrom", 9, 3, 0],
                               ["accept", 9, 9], ["getopt", 9, 1, 4, 4], ["connect", 9, "lo4", "P0"]])
            return self.step(*words)
        if self.chance(0.2):
            words = self.pick([["inet", "odd"], ["inet6", "stream", "nb", "17"], ["inet", "dgram", "nb", "6"],
                               ["inet", "dgram", "nb", "17"], ["inet", "stream", "-", "6"]])
            return self.step("socket", 9, *words, beside=False)
        return self.step("astray", slot, call)

    # ---- wholes ----

    def pair(self):
        """A connected pair of streams, step by step."""
        v6 = self.chance(0.4)
        listener = self.make_socket(v6, True)
        if self.chance(0.3):
            self.option(listener)
        if self.chance(0.85):
            self.bind(listener, self.pick(["lo6", "any6"] if v6 else ["lo4", "any4"]))
        self.listen(listener)
        client = self.make_socket(v6 if self.chance(0.9) else True, True)
        if self.chance(0.2):
            self.option(client)
        self.connect(client)
        self.accept(listener)
        if self.chance(0.2):
            self.close(listener)

    def datagram_pair(self):
        v6 = self.chance(0.4)
        one, other = self.make_socket(v6, False), self.make_socket(v6, False)
        self.bind(one)
        if self.chance(0.6):
            self.bind(other)
        if self.chance(0.6):
            self.connect(other)
        if self.chance(0.3):
            self.connect(one)

    def same_port(self):
        """Several sockets that want one port."""
        stream = self.chance(0.6)
        for _ in range(self.random.randint(2, 4)):
            slot = self.make_socket(None, stream)
            if self.chance(0.6):
                self.step("setopt", slot, 1, self.pick([2, 15]), 4, 1)
            if self.sockets[slot].v6 and self.chance(0.5):
                self.step("setopt", slot, 41, 26, 4, self.random.randint(0, 1))
            self.bind(slot, port="P0")
            if stream and self.chance(0.4):
                self.listen(slot)

    def any_step(self):
        if not self.sockets:
            return self.make_socket()
        slot = self.pick(self.slots())
        socket = self.sockets[slot]
        shares = {self.ask: 10, self.option: 10, self.close: 5, self.shutdown: 6, self.duplicate: 2,
                  self.blocking: 3, self.send: 4, self.receive: 4, self.bind: 3, self.listen: 2, self.connect: 4,
                  self.accept: 1}
        if socket.state in (OPEN, BOUND):
            shares.update({self.bind: 12 if socket.state == OPEN else 2, self.connect: 14})
            shares[self.listen] = 14 if socket.stream else 1
            shares[self.send] = 2 if socket.stream else 16
        elif socket.state == LISTENING:
            shares.update({self.accept: 25 if socket.waiting else 4})
        else:
            shares.update({self.send: 25, self.receive: 15 + 15 * bool(socket.waiting)})
        return self.random.choices(list(shares), list(shares.values()))[0](slot)

    def sequence(self):
        opening = self.pick([self.pair, self.pair, self.datagram_pair, self.same_port, self.any_step])
        opening()
        if opening == self.pair and self.chance(0.2):
            self.pair()
        for _ in range(self.random.randint(3, 12)):
            if self.chance(0.04):
                self.wrong()
            elif self.chance(0.06):
                self.make_socket()
            else:
                self.any_step()
        return self.steps


def sequence(seed, number):
    """Sequence `number` of a seed: the same for ever on every machine."""
    return Maker(seed * 1000003 + number).sequence()
