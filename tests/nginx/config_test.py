"""What nginx -t says, what `off` leaves alone, and what the status shows."""

import fcntl
import os
import shutil
import ssl
import subprocess

import harness
from harness import run


class Configuration(harness.Test):
    def answer(self, status, *texts, environment=None, module=None, **options):
        """nginx -t answers so, and says each text, in one line of its own."""
        server = self.nginx(start=False, **options)
        if module is not None:
            server.write(server.text.replace(harness.MODULE, module))
        code, out = server.test(**(environment or {}))
        self.assertEqual(code, status, out)
        for text in texts:
            lines = [line for line in out.splitlines() if text in line]
            self.assertEqual(len(lines), 1, out)
        return out

    def http(self, directives="octavo on;"):
        return f"{directives} server {{ listen 127.0.0.1:{{tls}} ssl; {self.pair()} return 200 ok; }}"

    def test_good(self):
        self.answer(0, "test is successful", http=self.http())
        self.answer(0, "test is successful", http=self.http("octavo off;"))
        self.answer(0, "test is successful", http=self.http(""))
        self.answer(0, "test is successful", http=self.http(), main="octavo_section SSL_1-x;")

    def test_the_example(self):
        with open(os.path.join(os.path.dirname(__file__), "../../server/nginx/example.conf")) as f:
            text = f.read()
        for there, here in (("/usr/local/lib/nginx/ngx_octavo_module.so", harness.MODULE), ("/etc/ssl/example", self.certificates.path("rsa")),
                            ("www-data", "nobody nogroup"), ("/run/", ""), ("/var/log/nginx/", ""), (" 443 ", " 127.0.0.1:{tls} "), (":8081", ":{plain}"),
                            ("/var/www/html", self.folder)):
            self.assertIn(there, text)
            text = text.replace(there, here)
        server = self.nginx(start=False)
        server.write(text)
        server.start()
        self.addCleanup(server.stop)
        self.curl(f"https://127.0.0.1:{server.port('tls')}/")
        status = harness.json.loads(self.curl(f"http://127.0.0.1:{server.port('plain')}/octavo"))
        self.assertEqual(status["handshakes_completed"], 1)
        self.assertIn("octavo_handshakes_completed_total 1", self.curl(f"http://127.0.0.1:{server.port('plain')}/metrics"))

    def test_directives(self):
        self.answer(1, 'invalid value "maybe"', http=self.http("octavo maybe;"))
        self.answer(1, '"octavo" directive is duplicate', http=self.http("octavo on; octavo on;"))
        self.answer(1, "a name has 1 to 31 letters", http=self.http(), main='octavo_section "a b";')
        self.answer(1, "a name has 1 to 31 letters", http=self.http(), main=f"octavo_section {'x' * 32};")
        self.answer(1, '"octavo_section" directive is duplicate', http=self.http(), main="octavo_section a; octavo_section b;")
        self.answer(1, "is not allowed here", http=self.http("octavo_section a;"))
        self.answer(1, 'takes "json" or "prometheus"', http="server { listen 127.0.0.1:{a}; location / { octavo_status xml; } }")

    def endpoint(self, text):
        """A folder with an endpoint file and the locks; what of it nginx's workers must know."""
        folder = os.path.join(self.folder, "octavo")
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o1777)
        with open(os.path.join(folder, "octavo_dev0.conf"), "w") as f:
            f.write(text)
        return {"OCTAVO_CONFIG_DIR": folder, "OCTAVO_RUN_DIR": folder}

    ONE_PROCESS = "[SSL]\nNumProcesses = 1\nLimitDevAccess = 1\nNumCyInstances = 1\nCy0Name = \"SSL0\"\nCy0IsPolled = 1\n"

    def test_sections_that_there_are_not(self):
        environment = self.endpoint(self.ONE_PROCESS)
        self.answer(0, "test is successful", http=self.http(), main="octavo_section SSL;", environment=environment)
        out = self.answer(1, 'octavo_section "SLL": no section [SLL] in the files of', http=self.http(), main="octavo_section SLL;", environment=environment)
        self.assertEqual(out.count("[emerg]"), 1)
        self.answer(0, "test is successful", http=self.http("octavo off;"), main="octavo_section SLL;", environment=environment)
        out = self.answer(1, "octavo_dev0.conf:2: ", http=self.http(), main="octavo_section SSL;",
                          environment=self.endpoint(self.ONE_PROCESS.replace("= 1", "= one", 1)))
        self.assertEqual(out.count("[emerg]"), 1)

    def test_sections_that_others_hold(self):
        environment = self.endpoint(self.ONE_PROCESS)
        server = self.nginx(start=False, main="octavo_section SSL; env OCTAVO_CONFIG_DIR; env OCTAVO_RUN_DIR;", http=self.http() +
                            "server { listen 127.0.0.1:{plain}; location /status { octavo_status; } }")
        server.environment.update(environment)
        lock = open(os.path.join(environment["OCTAVO_RUN_DIR"], "SSL_DEV0_INT_0.lock"), "w")
        self.addCleanup(lock.close)
        os.chmod(lock.name, 0o666)
        fcntl.lockf(lock, fcntl.LOCK_EX)
        self.assertEqual(server.test()[0], 0, "who holds what changes")
        server.start()
        self.addCleanup(server.stop)

        def sections():
            self.curl(f"https://127.0.0.1:{server.port('tls')}/")
            status = self.plain_status(server)
            return status["sections_held"], status["sections_denied"]

        self.assertEqual(sections(), (0, 1))
        self.assertIn("are taken", server.log())
        harness.until(lambda: self.plain_status(server)["fallback"]["section"] > 0, "the portable rows")
        done = self.plain_status(server)["requests_completed"]
        fcntl.lockf(lock, fcntl.LOCK_UN)
        harness.until(lambda: sections() == (1, 0), "the worker asks again")
        before = self.plain_status(server)["fallback"]["section"]
        sections()
        harness.until(lambda: self.plain_status(server)["requests_completed"] > done, "counts go on")
        self.assertEqual(self.plain_status(server)["fallback"]["section"], before)
        self.assertEqual(server.complaints(), [])
        # The old worker gives it back.
        server.reload()
        harness.until(lambda: sections() == (1, 0), "the new worker has it", 20)

    def test_no_provider(self):
        alone = os.path.join(self.folder, "lib/nginx")
        os.makedirs(alone)
        module = shutil.copy(harness.MODULE, alone)
        environment = {"LD_LIBRARY_PATH": os.path.join(harness.BUILD, "lib"), "OPENSSL_MODULES": "/nonexistent"}
        out = self.answer(1, "octavo: the provider is not installed: no /nonexistent/octavo.so", http=self.http(), module=module,
                          environment=environment)
        self.assertEqual(out.count("[emerg]"), 1)
        # Off, it is not missed.
        self.answer(0, "test is successful", http=self.http("octavo off;"), module=module, environment=environment)
        # Where OpenSSL has it, it is found.
        environment["OPENSSL_MODULES"] = os.path.join(harness.BUILD, "lib/ossl-modules")
        self.answer(0, "test is successful", http=self.http(), module=module, environment=environment)

    def test_broken_provider(self):
        alone = os.path.join(self.folder, "lib/nginx")
        modules = os.path.join(self.folder, "lib/ossl-modules")
        os.makedirs(alone)
        os.makedirs(modules)
        module = shutil.copy(harness.MODULE, alone)
        with open(os.path.join(modules, "octavo.so"), "w") as f:
            f.write("nothing")
        out = self.answer(1, "octavo: the provider cannot be loaded", http=self.http(), module=module,
                          environment={"LD_LIBRARY_PATH": os.path.join(harness.BUILD, "lib")})
        self.assertEqual(out.count("[emerg]"), 1)

    def test_another_openssl(self):
        out = self.answer(1, "octavo: built for OpenSSL 3, and this is OpenSSL", http=self.http(),
                          environment={"LD_PRELOAD": os.path.join(harness.BUILD, "lib/nginx-tests/version.so")})
        self.assertEqual(out.count("[emerg]"), 1)

    def test_another_nginx(self):
        """A module says for which nginx it is: nginx itself compares."""
        with open(harness.MODULE, "rb") as f:
            data = f.read()
        version = subprocess.run([harness.nginx_program(), "-v"], stderr=subprocess.PIPE, text=True).stderr.split("/")[1].split()[0]
        major, minor, patch = (int(part) for part in version.split(".")[:3])
        number = (major * 1000000 + minor * 1000 + patch).to_bytes(8, "little")
        self.assertGreaterEqual(data.count(number), 4)
        module = os.path.join(self.folder, "ngx_octavo_module.so")
        with open(module, "wb") as f:
            f.write(data.replace(number, (1001001).to_bytes(8, "little")))
        self.answer(1, f"instead of {major * 1000000 + minor * 1000 + patch}", http=self.http(), module=module,
                    environment={"LD_LIBRARY_PATH": os.path.join(harness.BUILD, "lib")})

    def test_off_is_as_without(self):
        """The provider is not in the process, RSA is OpenSSL's, and no shared memory is taken."""
        server = self.nginx(http=self.http("octavo off;"))
        self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('tls')}/"), "ok")
        with open(f"/proc/{server.workers()[0]}/maps") as f:
            self.assertNotIn("ossl-modules/octavo.so", f.read())

    def test_reload_turns_it_on_and_off(self):
        server = self.nginx(http=self.http("octavo off;") + "server { listen 127.0.0.1:{plain}; location /status { octavo_status; } }")

        def handshakes():
            self.curl(f"https://127.0.0.1:{server.port('tls')}/")
            status = self.plain_status(server)
            # One for each operation that is offloaded: the same number for each handshake.
            self.assertGreaterEqual(status["pauses"], status["handshakes_completed"])
            return status["handshakes_completed"]

        self.assertEqual(handshakes(), 0)
        off = server.text
        on = off.replace("octavo off;", "octavo on;")
        for text, counts in ((on, 1), (off, 0), (on, 1), (on.replace("octavo on;", "octavo on; no such thing;"), 2)):
            server.write(text)
            if "no such" in text:
                self.assertEqual(server.test()[0], 1)
                server.signal(harness.signal.SIGHUP)  # nginx goes on with what it has
                harness.until(lambda: "unknown directive" in server.log(), "the configuration is refused")
                pid = server.workers()[0]
                server.signal(harness.signal.SIGKILL, pid)  # its successor is made from the old configuration, in the master
                harness.until(lambda: [p for p in server.workers() if p != pid], "a successor")
            else:
                server.reload()
            self.assertEqual(handshakes(), counts)
        self.assertEqual([c for c in server.complaints() if "unknown directive" not in c and "signal 9" not in c], [])
        os.truncate(server.path("error.log"), 0)

    def test_reload_without_the_module(self):
        server = self.nginx(http=self.http())
        url = f"https://127.0.0.1:{server.port('tls')}/"
        self.assertEqual(self.curl(url), "ok")
        with_module = server.text
        server.write(with_module.replace("octavo on;", "").replace(f"load_module {harness.MODULE};", ""))
        server.reload()
        self.assertEqual(self.curl(url), "ok")
        server.write(with_module)
        server.reload()
        self.assertEqual(self.curl(url), "ok")

    def plain_status(self, server):
        return harness.json.loads(self.curl(f"http://127.0.0.1:{server.port('plain')}/status"))

    def test_status(self):
        server = self.nginx(workers=2, main="octavo_section SSL;", http=f"""octavo on; {self.pair()}
            server {{ listen 127.0.0.1:{{tls}} ssl reuseport; return 200 ok; }}
            server {{ listen 127.0.0.1:{{plain}}; location /status {{ octavo_status; }} location /metrics {{ octavo_status prometheus; }} }}""")
        report = self.load(server.port("tls"), "-c", "24", "-n", "600", "--threads", "1")
        done = report["handshakes"]
        # Workers publish what their device did once a second.
        harness.until(lambda: self.plain_status(server)["requests_completed"] >= done, "all workers have told")
        status = self.plain_status(server)
        self.assertEqual(status["workers"], 2)
        self.assertEqual(status["handshakes_completed"], done)
        self.assertEqual(status["handshakes_open"], 0)
        self.assertGreaterEqual(status["pauses"], done)
        self.assertEqual(status["pauses"] % done, 0)
        url = f"http://127.0.0.1:{server.port('plain')}"
        text = self.curl(url + "/metrics")
        self.assertIn(f"\noctavo_handshakes_completed_total {done}\n", text)
        self.assertEqual(text, self.curl(url + "/status?format=prometheus"))
        self.assertIn("application/json", self.curl(url + "/metrics?format=json", "-o", "/dev/null", "-w", "%{content_type}"))
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) octavo_[a-z_]+ .+|octavo_[a-z_]+(\{[a-z]+="[^"]+"\})? \d+)$')
        self.assertEqual(self.curl(url + "/status", "-X", "POST", "-o", "/dev/null", "-w", "%{http_code}"), "405")
        # What a worker that is gone has counted stays counted.
        server.reload()
        harness.until(lambda: not server.old_workers(), "the old workers are gone")
        self.assertEqual(self.plain_status(server)["handshakes_completed"], done)


if __name__ == "__main__":
    harness.main()
