"""A real nginx on loopback with the module, for the tests beside this file: temporary folders, ports, certificates; all gone afterwards."""

import contextlib
import http.client
import json
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = os.path.abspath(os.environ.get("OCTAVO_BUILD", "build/release"))
MODULE = os.path.join(BUILD, "lib/nginx/ngx_octavo_module.so")
OCTAVO = os.path.join(BUILD, "bin/octavo")
SHORT = os.environ.get("OCTAVO_LONG_TESTS") is None  # the full lengths only where asked for
MODULES = "/usr/lib/nginx/modules"


def nginx_program():
    return shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")


def run(*command, check=True, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} answered {done.returncode}:\n{done.stdout}")
    return done.stdout


def free_port():
    """Below those that clients are given: thousands of these, of tests beside this one, come and go until a server listens."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        lowest_of_clients = int(f.read().split()[0])
    for _ in range(1000):
        port = secrets.choice(range(10000, lowest_of_clients)) if lowest_of_clients > 12000 else 0
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("", port))
            return s.getsockname()[1]
    raise AssertionError("no port is free")


def until(condition, what, seconds=10.0):
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Certificates:
    """A CA, server certificates by kind, and a client's, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self._make_key("ca", "rsa:2048")
        self._openssl("req", "-x509", "-new", "-key", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test CA")
        for name, key, cn in (("rsa", "rsa:2048", "localhost"), ("rsa4096", "rsa:4096", "localhost"),
                              ("ec", "ec", "localhost"), ("other", "rsa:2048", "other.test"), ("client", "rsa:2048", "a client")):
            self._make_key(name, key)
            self._certify(name, cn)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _openssl(self, *arguments):
        run("openssl", *arguments, cwd=self.folder, env={**os.environ, "OPENSSL_CONF": "/dev/null"})

    def _make_key(self, name, kind):
        if kind == "ec":
            self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name + ".key")
        else:
            self._openssl("genrsa", "-out", name + ".key", kind.split(":")[1])

    def _certify(self, name, cn):
        with open(self.path("extensions"), "w") as f:
            f.write(f"subjectAltName=DNS:{cn.replace(' ', '-')},IP:127.0.0.1\n")
        self._openssl("req", "-new", "-key", name + ".key", "-out", name + ".csr", "-subj", f"/CN={cn}", "-config", self._req())
        self._openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                      "2", "-extfile", "extensions", "-out", name + ".crt")

    def _req(self):
        with open(self.path("req.cnf"), "w") as f:
            f.write("[req]\ndistinguished_name=dn\n[dn]\n")
        return "req.cnf"


class Nginx:
    """One nginx: Nginx(folder, main=..., http=..., blocks=...), start(), stop(). {name} in the texts is a free port."""

    def __init__(self, folder, http="", blocks="", main="", module=True, workers=1, modules=(), events="", user=True):
        self.folder = folder
        self.ports = {}
        self.environment = dict(os.environ)
        self.environment.pop("OPENSSL_CONF", None)
        text = "".join(f"load_module {MODULES}/{m};\n" for m in modules)
        if module:
            text += f"load_module {MODULE};\n"
        if user and os.geteuid() == 0:
            text += "user nobody nogroup;\n"
        text += f"worker_processes {workers};\npid nginx.pid;\nerror_log error.log info;\n{main}\n"
        text += f"events {{ worker_connections 16384; {events} }}\n"
        if http:
            temp = " ".join(f"{kind}_temp_path temp_{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            text += f"http {{ access_log off; ssl_protocols TLSv1.2 TLSv1.3; {temp}\n{http}\n}}\n"
        self.write(text + blocks)
        self.master = None
        self.child = None

    def write(self, text):
        self.text = re.sub(r"\{([a-z_0-9]+)\}", lambda m: str(self.port(m[1])), text)
        with open(self.path("nginx.conf"), "w") as f:
            f.write(self.text)

    def port(self, name):
        return self.ports.setdefault(name, free_port())

    def path(self, name):
        return os.path.join(self.folder, name)

    def command(self, *more):
        return [nginx_program(), "-p", self.folder, "-c", self.path("nginx.conf"), "-e", self.path("error.log"), *more]

    def test(self, **environment):
        """(exit status, output) of nginx -t."""
        done = subprocess.run(self.command("-t"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**self.environment, **environment}, timeout=60)
        return done.returncode, done.stdout

    def start(self):
        with open(self.path("stdout"), "w") as out:
            self.child = subprocess.Popen(self.command("-g", "daemon off;"), env=self.environment, stdin=subprocess.DEVNULL,
                                          stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        self.master = self.child.pid
        until(self._is_up, "nginx is up", 20)
        return self

    def _is_up(self):
        if self.child.poll() is not None:
            raise AssertionError("nginx has ended: " + self.log() + open(self.path("stdout")).read())
        return self.workers()

    def pid_of_file(self):
        with open(self.path("nginx.pid")) as f:
            return int(f.read())

    def children(self, pid):
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                return [int(child) for child in f.read().split()]
        except FileNotFoundError:
            return []

    def workers(self, master=None):
        return [pid for pid in self.children(master or self.master) if "worker process" in title(pid) and
                "shutting down" not in title(pid)]

    def old_workers(self):
        return [pid for pid in self.children(self.master) if "shutting down" in title(pid)]

    def signal(self, number, pid=None):
        os.kill(pid or self.master, number)

    def reload(self):
        before = self.workers()
        self.signal(signal.SIGHUP)
        until(lambda: self.workers() and not set(self.workers()) & set(before), "new workers")

    def log(self):
        try:
            with open(self.path("error.log")) as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def complaints(self):
        """What should never be in the log of a test."""
        bad = [line for line in self.log().splitlines() if re.search(r"\[(alert|emerg|crit)\]|stale global|exited on signal", line)]
        return [line for line in bad if "SSL_do_handshake() failed" not in line]  # critical to nginx, whatever a client sends

    def stop(self):
        if self.child is None:
            return
        pids = [self.master] + self.children(self.master)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGTERM if pid == self.master else 0)
            except ProcessLookupError:
                pass
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.child.wait()
            raise AssertionError("nginx does not end")
        finally:
            self.child = None


def title(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read())[1])


def num_fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def num_mappings(pid):
    with open(f"/proc/{pid}/maps") as f:
        return sum(1 for _ in f)


class Test(unittest.TestCase):
    """Each test has a folder of its own, the certificates of all, and an end for each nginx."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="octavo-nginx-")
        os.chmod(cls.shared, 0o755)
        cls.certificates = Certificates(cls.shared)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared, ignore_errors=True)

    def setUp(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.folder = tempfile.mkdtemp(prefix="octavo-nginx-")
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, True)

    def nginx(self, start=True, **options):
        folder = os.path.join(self.folder, str(len(os.listdir(self.folder))))
        os.mkdir(folder)
        server = Nginx(folder, **options)
        if start:
            server.start()
            self.addCleanup(server.stop)
            self.addCleanup(lambda: self.assertEqual(server.complaints(), []))
        return server

    def pair(self, name="rsa"):
        c = self.certificates
        return f"ssl_certificate {c.path(name + '.crt')}; ssl_certificate_key {c.path(name + '.key')};"

    def curl(self, url, *options, check=True):
        return run("curl", "-sS", "--cacert", self.certificates.path("ca.crt"), "--max-time", "20", *options, url, check=check)

    def context(self, version=None, client=False, verify=True):
        context = ssl.create_default_context(cafile=self.certificates.path("ca.crt"))
        context.check_hostname = False
        if not verify:
            context.verify_mode = ssl.CERT_NONE
        if version:
            context.minimum_version = context.maximum_version = version
        if client:
            context.load_cert_chain(self.certificates.path("client.crt"), self.certificates.path("client.key"))
        return context

    def status(self, port, path="/status"):
        return json.loads(self.curl(f"https://127.0.0.1:{port}{path}", "--http1.1"))

    def load(self, port, *options):
        out = run(OCTAVO, "load", f"127.0.0.1:{port}", "--json", "-", *options)
        return json.loads(out)


def client_hello(server_name=None):
    """The first flight of an ordinary client, for connections that say no more than that."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=server_name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def get(port, context, path="/", name="localhost"):
    """(status, body) of a request on a connection of its own."""
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    try:
        connection.request("GET", path, headers={"Host": name})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def main():
    if nginx_program() is None or not os.path.exists(MODULE):
        print("SKIPPED: there is no nginx, or no module in", BUILD)
        sys.exit(77)
    unittest.main(verbosity=2)
