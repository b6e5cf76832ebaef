"""Very many connections at once, a third of which break off at any point of the handshake: afterwards everything is as before."""

import errno
import os
import random
import resource
import select
import socket
import ssl
import time

import harness

CONNECTIONS = 2000 if harness.SHORT else 10000
ABORTED = 1 / 3


class Client:
    """One TLS client on a nonblocking socket. An aborting one has a number of bytes that it will still send or take, and then ends, with a
    reset or without."""

    def __init__(self, context, port, aborts, serial):
        self.serial = serial
        self.budget = random.randrange(0, 2600) if aborts else None
        self.reset = random.random() < 0.5
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        self.socket = socket.socket()
        self.socket.setblocking(False)
        # One local address holds 28,000 ports at most, and some are in use.
        self.socket.bind((f"127.0.0.{2 + serial % 8}", 0))
        self.error = None
        self.done = False
        code = self.socket.connect_ex(("127.0.0.1", port))
        if code not in (0, errno.EINPROGRESS):
            self.finish(os.strerror(code))

    def finish(self, error=None):
        self.error = error
        self.done = True
        if self.budget is not None and self.reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def spend(self, n):
        """How many of n bytes may still pass; 0 ends it."""
        if self.budget is None:
            return n
        n = min(n, self.budget)
        self.budget -= n
        return n

    def send(self):
        data = self.outgoing.read()
        if not data:
            return True
        allowed = self.spend(len(data))
        if allowed:
            self.socket.sendall(data[:allowed])
        if allowed < len(data):
            self.finish()
            return False
        return True

    def step(self):
        """After an event: True as long as there is more to do."""
        try:
            try:
                data = self.socket.recv(65536)
                allowed = self.spend(len(data))
                if self.budget == 0:
                    self.finish()
                    return False
                self.incoming.write(data[:allowed])
                if not data:
                    self.finish("closed by the server")
                    return False
            except BlockingIOError:
                pass
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                return self.send()
            if self.send():
                self.finish()
        except (OSError, ssl.SSLError) as error:
            if not self.done:
                self.finish(None if self.budget is not None else str(error))
        return not self.done


class Aborts(harness.Test):
    def setUp(self):
        super().setUp()
        random.seed(20260101)
        self.assertGreater(resource.getrlimit(resource.RLIMIT_NOFILE)[0], CONNECTIONS + 200, "too few descriptors")

    def wave(self, port, num):
        """All connect before the first says a word; then all go on at once."""
        context = self.context()
        clients = {}
        poll = select.epoll()
        for serial in range(num):
            client = Client(context, port, random.random() < ABORTED, serial)
            if not client.done:
                clients[client.socket.fileno()] = client
                poll.register(client.socket, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        todo = dict(clients)
        end = time.monotonic() + 120
        while todo and time.monotonic() < end:
            for fd, _ in poll.poll(1):
                client = todo.get(fd)
                if client is not None and not client.step():
                    del todo[fd]
        poll.close()
        self.assertEqual(len(todo), 0, "these hang")
        return list(clients.values())

    def levels(self, server):
        pid = server.workers()[0]
        return harness.num_fds(pid), harness.num_mappings(pid), harness.resident_kib(pid)

    def settle(self, server):
        def is_quiet():
            status = harness.json.loads(self.curl(f"http://127.0.0.1:{server.port('plain')}/"))
            return status if status["handshakes_open"] == 0 and status["requests_in_flight"] == 0 else None

        status = harness.until(is_quiet, "no handshake is open", 30)
        time.sleep(2.5)  # the worker tidies up once a second
        return status

    def test_nothing_is_left(self):
        server = self.nginx(workers=1, events="multi_accept on;", http=f"""octavo on; {self.pair()}
            server {{ listen 127.0.0.1:{{tls}} ssl backlog=16384; ssl_session_cache off; return 200 ok; }}
            server {{ listen 127.0.0.1:{{plain}}; location / {{ octavo_status; }} }}""")
        port = server.port("tls")
        levels = [self.levels(server)]
        for _ in range(3):
            clients = self.wave(port, CONNECTIONS)
            failed = [c.error for c in clients if c.error is not None and c.budget is None]
            self.assertEqual(failed, [])
            self.assertGreater(sum(1 for c in clients if c.budget is not None), CONNECTIONS / 5)
            status = self.settle(server)
            self.assertEqual(status["handshakes_paused"], 0)
            self.assertEqual(status["discarded"], 0)
            self.assertEqual(status["handshakes_started"], status["handshakes_completed"] + status["handshakes_failed"])
            levels.append(self.levels(server))
        start, first, second, last = levels
        self.assertEqual(last[0], first[0], "descriptors")
        self.assertLessEqual(last[1], start[1] + 8, "mappings: stacks of jobs are mappings")
        # Memory goes up to what the most handshakes at a time need, which a wave may be the first to reach; what leaks, every wave leaks.
        growth = min(second[2] - first[2], last[2] - second[2])
        # A job that is lost with each abort would be 3 KiB and more for each connection.
        self.assertLess(growth, 2 * CONNECTIONS, f"resident memory, KiB: {levels}")
        self.assertLess(last[2], start[2] + 32 * 1024, "resident memory, KiB")
        self.assertNotIn("worker_connections are not enough", server.log())


if __name__ == "__main__":
    harness.main()
