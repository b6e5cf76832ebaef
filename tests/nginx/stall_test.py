"""Handshakes that stay paused, because the device does nothing for a while: what they cost, and what may happen to them meanwhile."""

import os
import signal
import socket
import ssl
import threading
import time

import harness
from harness import until

HELD = 1000
MOST_KIB = 24  # resident memory of a paused handshake above one that plain nginx has at the same point


class Stall(harness.Test):
    def server(self, workers=1, module=True, extra="", main=""):
        switch, status = ("octavo on;", "octavo_status;") if module else ("", "return 200;")
        server = self.nginx(start=False, workers=workers, module=module, main="env OCTAVO_FAULTS; env CLOSE_FILE; " + main, http=f"""{switch} {self.pair()} {extra}
            server {{ listen 127.0.0.1:{{tls}} ssl backlog=4096; ssl_session_cache off; return 200 ok; }}
            server {{ listen 127.0.0.1:{{plain}}; location / {{ {status} }} }}""")
        server.environment.update(OCTAVO_FAULTS="1", CLOSE_FILE=server.path("close"))
        server.start()
        self.addCleanup(server.stop)
        return server

    def fault(self, *words):
        harness.run(harness.OCTAVO, "fault", *words, "--pid", self.stalled)

    def stall(self, server):
        """The worker must have an instance: it has served a handshake."""
        self.assertEqual(harness.get(server.port("tls"), self.context()), (200, "ok"))
        self.stalled = ",".join(map(str, server.workers()))
        self.fault("delay", "--ms", "3600000")

    def go_on(self, server):
        self.fault("clear")

    def figures(self, server):
        return harness.json.loads(self.curl(f"http://127.0.0.1:{server.port('plain')}/"))

    def paused(self, server):
        return self.figures(server)["handshakes_paused"]

    def hold(self, server, num, answered=False):
        """Connections that have sent their first flight and read nothing."""
        hello = harness.client_hello()
        sockets = []
        for _ in range(num):
            s = socket.create_connection(("127.0.0.1", server.port("tls")))
            self.addCleanup(s.close)
            s.sendall(hello)
            sockets.append(s)
        if answered:
            for s in sockets:
                s.settimeout(20)
                s.recv(1, socket.MSG_PEEK)
        else:
            until(lambda: self.paused(server) == num, f"{num} paused handshakes", 20)
        return sockets

    def get(self, server, results):
        try:
            results.append(harness.get(server.port("tls"), self.context(), "/"))
        except OSError as error:
            results.append(error)

    def test_a_second(self):
        server = self.server()
        self.stall(server)
        results = []
        threads = [threading.Thread(target=self.get, args=(server, results)) for _ in range(40)]
        for thread in threads:
            thread.start()
        until(lambda: self.paused(server) == 40, "all are paused")
        before = cpu_seconds(server.workers()[0])
        time.sleep(1)
        self.assertLess(cpu_seconds(server.workers()[0]) - before, 0.3, "the event loop spins")
        self.assertEqual(results, [])
        self.go_on(server)
        for thread in threads:
            thread.join()
        self.assertEqual(results, [(200, "ok")] * 40)
        self.assertEqual(self.figures(server)["handshakes_failed"], 0)

    def test_memory(self):
        server = self.server()
        self.load(server.port("tls"), "-c", "16", "-n", "200")  # what is made once has been made
        base = harness.resident_kib(server.workers()[0])
        self.stall(server)
        self.hold(server, HELD)
        ours = (harness.resident_kib(server.workers()[0]) - base) / HELD
        plain = self.server(module=False)
        self.load(plain.port("tls"), "-c", "16", "-n", "200")
        base = harness.resident_kib(plain.workers()[0])
        self.hold(plain, HELD, answered=True)
        theirs = (harness.resident_kib(plain.workers()[0]) - base) / HELD
        print(f"resident, KiB a handshake: paused {ours:.1f}, plain nginx {theirs:.1f}", flush=True)
        self.assertLess(ours - theirs, MOST_KIB)
        self.go_on(server)
        until(lambda: self.paused(server) == 0, "nothing is paused")

    def test_clients_that_leave(self):
        server = self.server()
        self.stall(server)
        sockets = self.hold(server, 60)
        for i, s in enumerate(sockets[:40]):
            if i % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            s.close()
        time.sleep(0.3)
        self.assertEqual(self.paused(server), 60)
        self.go_on(server)
        until(lambda: self.figures(server)["handshakes_failed"] == 40, "those that left have failed")
        figures = self.figures(server)
        self.assertEqual((figures["handshakes_paused"], figures["handshakes_open"], figures["discarded"]), (0, 20, 0))
        for s in sockets[40:]:
            self.assertTrue(s.recv(1))

    def test_timeouts(self):
        server = self.server(extra="client_header_timeout 1s;")
        self.stall(server)
        sockets = self.hold(server, 10)
        time.sleep(2)
        self.assertEqual(self.paused(server), 10)
        self.go_on(server)
        until(lambda: self.figures(server)["handshakes_failed"] == 10, "the timeouts are delivered")
        self.assertEqual(self.figures(server)["handshakes_open"], 0)
        self.assertEqual(server.log().count("client timed out"), 10)
        for s in sockets:
            s.settimeout(5)
            while s.recv(65536):
                pass

    def test_connections_closed_by_others(self):
        """Nothing of a job runs any more once its connection is gone; its request is cancelled and its stack taken back."""
        server = self.server(main=f"load_module {harness.BUILD}/lib/nginx-tests/closer.so;")
        self.stall(server)
        self.hold(server, 50)
        open(server.path("close"), "w").close()
        until(lambda: self.figures(server)["discarded"] == 50, "all are closed")
        os.unlink(server.path("close"))
        self.go_on(server)
        figures = self.figures(server)
        self.assertEqual((figures["handshakes_paused"], figures["handshakes_open"], figures["handshakes_failed"]), (0, 0, 50))
        self.assertEqual(harness.get(server.port("tls"), self.context()), (200, "ok"))
        until(lambda: self.figures(server)["requests_cancelled"] == 50, "the requests are cancelled")
        self.assertEqual(self.figures(server)["requests_in_flight"], 0)
        self.assertEqual(server.complaints(), [])

    def test_quit_waits_for_the_paused(self):
        server = self.server(extra="client_header_timeout 60s;")
        self.stall(server)
        results = []
        threads = [threading.Thread(target=self.get, args=(server, results)) for _ in range(10)]
        for thread in threads:
            thread.start()
        until(lambda: self.paused(server) == 10, "all are paused")
        server.signal(signal.SIGQUIT)
        time.sleep(1)
        self.assertIsNone(server.child.poll())
        self.go_on(server)
        for thread in threads:
            thread.join()
        self.assertEqual(results, [(200, "ok")] * 10)
        server.child.wait(10)

    def test_quit_waits_also_without_timers(self):
        """A timeout that has fired in a pause is a timer less; nginx ends where there are none."""
        server = self.server(extra="client_header_timeout 1s;")
        self.stall(server)
        self.hold(server, 10)
        server.signal(signal.SIGQUIT)
        time.sleep(2)
        self.assertIsNone(server.child.poll())
        self.go_on(server)
        server.child.wait(10)
        self.assertEqual(server.log().count("client timed out"), 10)
        self.assertEqual(server.complaints(), [])

    def test_reload_waits_for_the_paused(self):
        server = self.server()
        self.stall(server)
        results = []
        threads = [threading.Thread(target=self.get, args=(server, results)) for _ in range(10)]
        for thread in threads:
            thread.start()
        until(lambda: self.paused(server) == 10, "all are paused")
        server.reload()
        self.assertEqual(len(server.old_workers()), 1)
        self.go_on(server)
        for thread in threads:
            thread.join()
        self.assertEqual(results, [(200, "ok")] * 10)
        until(lambda: not server.old_workers(), "the old worker is gone")

    def test_fast_exit_with_paused(self):
        server = self.server()
        self.stall(server)
        self.hold(server, 50)
        server.signal(signal.SIGTERM)
        server.child.wait(5)
        self.assertEqual(server.complaints(), [])

    def test_nobody_else_waits(self):
        """While handshakes are paused, connections without one are served."""
        server = self.server()
        self.stall(server)
        self.hold(server, 20)
        start = time.monotonic()
        for _ in range(20):
            self.figures(server)
        self.assertLess(time.monotonic() - start, 5)
        self.go_on(server)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    harness.main()
