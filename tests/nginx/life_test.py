"""Reload, binary upgrade, quitting and dying, all under load. No handshake fails that did not lose its server."""

import os
import signal
import subprocess
import time

import harness
from harness import until

SECONDS = 6 if harness.SHORT else 60


class Load:
    """`octavo load` in the background."""

    def __init__(self, port, seconds, *options, connections=32):
        self.process = subprocess.Popen([harness.OCTAVO, "load", f"127.0.0.1:{port}", "-c", str(connections), "-d", str(seconds),
                                         "--json", "-", *options], stdout=subprocess.PIPE, text=True)

    def report(self):
        out, _ = self.process.communicate(timeout=120)
        return harness.json.loads(out)

    def running(self):
        return self.process.poll() is None


def is_gone(pid):
    """Also where nobody has waited for it yet."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Life(harness.Test):
    def server(self, workers=2, extra="", **options):
        return self.nginx(workers=workers, http=f"""octavo on; {self.pair()} server {{ listen 127.0.0.1:{{tls}} ssl backlog=4096 {extra};
            location / {{ return 200 ok; }} location /status {{ octavo_status; }} }}""", **options)

    def test_reload_under_load(self):
        server = self.server()
        load = Load(server.port("tls"), SECONDS, "--request", "/")
        num_reloads = 0
        while load.running():
            time.sleep(1)
            if load.running():
                server.reload()
                num_reloads += 1
        report = load.report()
        self.assertEqual(report["failures"], 0, report)
        self.assertGreaterEqual(num_reloads, SECONDS * 0.6)  # each takes a moment itself
        until(lambda: not server.old_workers(), "the old workers are gone", 30)

    def test_binary_upgrade_under_load(self):
        server = self.server(start=False)
        self.addCleanup(self.end_all, server)
        harness.run(*server.command(), env=server.environment)  # a daemon: nginx ignores the signal while its parent lives
        old = until(lambda: os.path.exists(server.path("nginx.pid")) and server.pid_of_file(), "nginx is up")
        until(lambda: len(server.workers(old)) == 2, "the workers")
        load = Load(server.port("tls"), 4, "--request", "/")
        time.sleep(1)
        server.signal(signal.SIGUSR2, old)
        until(lambda: os.path.exists(server.path("nginx.pid.oldbin")) and os.path.exists(server.path("nginx.pid")), "the new master")
        new = until(lambda: server.pid_of_file() != old and server.pid_of_file(), "the new master's number")
        until(lambda: len(server.workers(new)) == 2, "the new workers")
        server.signal(signal.SIGQUIT, old)
        until(lambda: is_gone(old), "the old master ends", 20)
        report = load.report()
        self.assertEqual(report["failures"], 0, report)
        self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('tls')}/"), "ok")
        self.assertEqual(server.complaints(), [])

    def end_all(self, server):
        for name in ("nginx.pid", "nginx.pid.oldbin"):
            try:
                with open(server.path(name)) as f:
                    pid = int(f.read())
                os.kill(pid, signal.SIGTERM)
            except (FileNotFoundError, ProcessLookupError, ValueError):
                continue
            until(lambda: is_gone(pid), "the master ends", 20)

    def test_quit_finishes_what_has_begun(self):
        server = self.server(workers=1)
        port = server.port("tls")
        load = Load(port, 2, "--request", "/")
        time.sleep(1)
        server.signal(signal.SIGQUIT)
        server.child.wait(20)
        report = load.report()
        # Whoever comes after the listening socket is closed is refused; nobody is left alone in a handshake.
        self.assertEqual([kind for kind in report["failures_by_kind"] if "connect" not in kind and "refused" not in kind and "reset" not in kind], [], report)
        self.assertEqual(server.complaints(), [])

    def test_fast_exit(self):
        server = self.server(workers=1)
        load = Load(server.port("tls"), 2)
        time.sleep(1)
        start = time.monotonic()
        server.signal(signal.SIGTERM)
        server.child.wait(20)
        self.assertLess(time.monotonic() - start, 5)
        load.report()
        self.assertEqual(server.complaints(), [])

    def test_killed_worker(self):
        server = self.server(workers=2, extra="reuseport")
        load = Load(server.port("tls"), 4, "--request", "/")
        time.sleep(1)
        victim = server.workers()[0]
        server.signal(signal.SIGKILL, victim)
        until(lambda: len(server.workers()) == 2 and victim not in server.workers(), "a successor")
        report = load.report()
        self.assertGreater(report["handshakes"], 100)
        # Its own connections die with it, nobody else's.
        self.assertLessEqual(report["failures"], 64, report)
        late = Load(server.port("tls"), 1, "--request", "/").report()
        self.assertEqual(late["failures"], 0, late)
        self.assertEqual([c for c in server.complaints() if "signal 9" not in c], [])
        os.truncate(server.path("error.log"), 0)

    def test_one_process(self):
        server = self.server(workers=1, main="master_process off;", start=False)
        server.child = subprocess.Popen(server.command("-g", "daemon off;"), stdin=subprocess.DEVNULL, env=server.environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        server.master = server.child.pid
        self.addCleanup(server.stop)
        until(lambda: "test" in server.log() or os.path.exists(server.path("nginx.pid")), "nginx is up")
        report = self.load(server.port("tls"), "-c", "16", "-n", "300", "--request", "/")
        self.assertEqual(report["failures"], 0)
        self.assertEqual(server.complaints(), [])


if __name__ == "__main__":
    harness.main()
