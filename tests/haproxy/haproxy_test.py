"""The distribution's HAProxy, unrebuilt: Octavo by configuration alone, on OpenSSL's jobs and on those of liboctavo-async.so."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../nginx"))
import harness  # noqa: E402: certificates, ports and clients are the same for all servers

CONFIGURATION = os.path.join(harness.BUILD, "openssl.cnf")
DROP_IN = os.path.join(harness.BUILD, "lib/liboctavo-async.so")
WAVES = 3
ABORTS = 500 if harness.SHORT else 3500  # in each wave
AT_ONCE = 50
LEVEL_KIB = 4 * ABORTS  # a leak of one job each would be 10 KiB for each abort


def haproxy_program():
    return shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")


class Haproxy:
    """One HAProxy in the foreground; `certificates`.rsa and .ecdsa hold a certificate and its key."""

    def __init__(self, folder, certificates, is_async, environment, threads=1):
        self.port = harness.free_port()
        self.file = os.path.join(folder, "haproxy.cfg")
        self.output = os.path.join(folder, "output")
        self.environment = {**os.environ, **environment}
        mode = "ssl-mode-async" if is_async else ""
        with open(self.file, "w") as f:
            f.write(f"""global
    nbthread {threads}
    {mode}
    maxconn 4000
    tune.ssl.cachesize 0
defaults
    mode http
    timeout client 10s
    timeout connect 5s
    timeout server 10s
frontend tls
    bind 127.0.0.1:{self.port} ssl crt {certificates} no-tls-tickets
    http-request return status 200 content-type text/plain string ok
""")

    def start(self):
        with open(self.output, "w") as out:
            self.child = subprocess.Popen([haproxy_program(), "-db", "-f", self.file], env=self.environment, stdin=subprocess.DEVNULL,
                                          stdout=out, stderr=subprocess.STDOUT)
        harness.until(self._is_up, "HAProxy is up", 20)
        return self

    def _is_up(self):
        if self.child.poll() is not None:
            raise AssertionError("HAProxy has ended: " + self.said())
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def said(self):
        with open(self.output) as f:
            return f.read()

    def stop(self):
        if self.child.poll() is not None:
            raise AssertionError(f"HAProxy died ({self.child.returncode}): {self.said()}")
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise AssertionError("HAProxy does not end")


class Servers(harness.Test):
    def haproxy(self, is_async=True, drop_in=False, octavo=True, **options):
        folder = os.path.join(self.folder, str(len(os.listdir(self.folder))))
        os.mkdir(folder)
        environment = {"OPENSSL_CONF": CONFIGURATION if octavo else "/dev/null"}
        if drop_in:
            environment["LD_PRELOAD"] = DROP_IN
        server = Haproxy(folder, self.bundle(), is_async, environment, **options).start()
        self.addCleanup(server.stop)
        return server

    def bundle(self):
        """HAProxy serves files that differ in these ends as one certificate of several kinds."""
        bundle = self.certificates.path("bundle")
        for name, end in (("rsa", "rsa"), ("ec", "ecdsa")):
            with open(f"{bundle}.{end}", "w") as out:
                for part in (name + ".crt", name + ".key"):
                    with open(self.certificates.path(part)) as f:
                        out.write(f.read())
        return bundle

    def ways(self):
        return (("sync", {"is_async": False}), ("OpenSSL's jobs", {}), ("drop-in", {"drop_in": True}))


class Handshakes(Servers):
    def test_every_version_and_certificate(self):
        for name, options in self.ways():
            server = self.haproxy(**options)
            for version in ("1.2", "1.3"):
                for algorithm in ("ECDSA", "RSA"):
                    with self.subTest(way=name, version=version, algorithm=algorithm):
                        chosen = ("--tls-max", version, f"--tlsv{version}")
                        if version == "1.2":
                            chosen += ("--ciphers", f"ECDHE-{algorithm}-AES128-GCM-SHA256")
                        chosen += ("--resolve", f"localhost:{server.port}:127.0.0.1")  # without a name it has the first certificate only
                        self.assertEqual(self.curl(f"https://localhost:{server.port}/", *chosen), "ok")

    def test_operations_reach_the_device(self):
        for name, options in self.ways():
            with self.subTest(way=name):
                server = self.haproxy(**options)
                self.load(server.port, "--connections", "16", "--duration", "0.5", "--tls", "1.2",
                          "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256", "--sni", "localhost")
                seen = harness.run(harness.OCTAVO, "doctor", check=False)
                mine = [line for line in seen.splitlines() if str(server.child.pid) in line]
                self.assertTrue(mine, seen)
                self.assertRegex(" ".join(mine), r"\d+% in lanes", seen)

    def test_one_connection_at_a_time(self):
        """HAProxy closes the descriptors of a wait context without a look at which ones it knew of."""
        for name, options in self.ways():
            with self.subTest(way=name):
                server = self.haproxy(**options)
                for connections in ("1", "2", "64"):
                    report = self.load(server.port, "--connections", connections, "--duration", "0.7")
                    self.assertEqual(report["failures"], 0, report)
                    self.assertGreater(report["handshakes"], 10)

    def test_several_threads(self):
        server = self.haproxy(threads=4)
        report = self.load(server.port, "--connections", "64", "--duration", "1")
        self.assertEqual(report["failures"], 0, report)


class Aborts(Servers):
    def abort(self, port, hello, num):
        """Clients that say hello and are gone, while others keep the device busy."""
        sockets = []
        for _ in range(num):
            s = socket.create_connection(("127.0.0.1", port))
            s.sendall(hello)
            sockets.append(s)
        time.sleep(0.005)
        for s in sockets:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            s.close()

    def wave(self, server):
        """(KiB of resident memory, descriptors) after the aborts of one wave."""
        hello = harness.client_hello("localhost")
        for _ in range(ABORTS // AT_ONCE):
            self.abort(server.port, hello, AT_ONCE)
        time.sleep(0.7)
        report = self.load(server.port, "--connections", "8", "--duration", "0.3")
        self.assertEqual(report["failures"], 0, report)
        return harness.resident_kib(server.child.pid), harness.num_fds(server.child.pid)

    def growth(self, server):
        """What each wave after the first adds, (KiB of resident memory, descriptors)."""
        levels = [self.wave(server) for _ in range(WAVES + 1)]
        print(f"KiB, descriptors after each {ABORTS} aborted handshakes: {levels}", file=sys.stderr)
        return [(after[0] - before[0], after[1] - before[1]) for before, after in zip(levels, levels[1:])]

    def test_none_is_lost_on_the_drop_in(self):
        """Heaps breathe, and grow to what the fullest moment needs, which any wave may be the first to reach; what leaks, every wave leaks."""
        growth = self.growth(self.haproxy(drop_in=True))
        self.assertLess(min(memory for memory, _ in growth), LEVEL_KIB)
        self.assertLessEqual(min(fds for _, fds in growth), 3)

    def test_aborts_do_reach_paused_handshakes(self):
        """On OpenSSL's own jobs every abort of a paused handshake leaves its job behind: this shows that the test above tests something."""
        self.assertGreater(max(memory for memory, _ in self.growth(self.haproxy())), LEVEL_KIB)


if __name__ == "__main__":
    if haproxy_program() is None:
        print("SKIPPED: there is no haproxy")
        sys.exit(77)
    harness.unittest.main(verbosity=2)
