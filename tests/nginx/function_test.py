"""Every feature of TLS in nginx that a handshake in a job touches, with real clients."""

import os
import re
import socket
import ssl
import subprocess
import threading
import time

import harness
from harness import free_port, get, run, until

STREAM, MAIL = "ngx_stream_module.so", "ngx_mail_module.so"


class Handshakes(harness.Test):
    def check_counts(self, port, at_least, failed=0):
        status = self.status(port)
        self.assertGreaterEqual(status["handshakes_completed"], at_least)
        self.assertEqual(status["handshakes_failed"], failed)
        self.assertEqual(status["handshakes_paused"], 0)
        self.assertGreaterEqual(status["pauses"], at_least)
        self.assertEqual(status["steps_in_place"], 0)
        return status

    STATUS = "server { listen 127.0.0.1:{status}; location / { octavo_status; } }"

    def check_offloaded(self, server, num):
        """So many handshakes since the start, all in jobs, and each has paused."""
        def figures():
            return harness.json.loads(self.curl(f"http://127.0.0.1:{server.port('status')}/"))
        until(lambda: figures()["handshakes_open"] == 0, "no handshake is open")
        status = figures()
        self.assertEqual((status["handshakes_completed"], status["handshakes_failed"], status["steps_in_place"]), (num, 0, 0))
        self.assertGreaterEqual(status["pauses"], num)
        return status

    def pauses_each(self):
        """How often a handshake of curl's pauses: once for each operation that is offloaded."""
        port = self.nginx(http=f"""octavo on; server {{ listen 127.0.0.1:{{tls}} ssl; {self.pair()}
            location /status {{ octavo_status; }} }}""").port("tls")
        before = self.status(port)["pauses"]
        return self.status(port)["pauses"] - before

    def s_client(self, port, *options, text=None, input=None):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", self.certificates.path("ca.crt"),
                               *options], input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30,
                              env={**os.environ, "OPENSSL_CONF": "/dev/null"})
        out = done.stdout.decode(errors="replace")
        if text is not None:
            self.assertIn(text, out)
        return out

    def test_versions_and_protocols(self):
        server = self.nginx(http=f"""octavo on; server {{ listen 127.0.0.1:{{tls}} ssl http2; {self.pair()}
            location / {{ return 200 "$ssl_protocol $server_protocol"; }} location /status {{ octavo_status; }} }}""")
        port = server.port("tls")
        url = f"https://127.0.0.1:{port}/"
        self.assertEqual(self.curl(url, "--http1.1"), "TLSv1.3 HTTP/1.1")
        self.assertEqual(self.curl(url, "--http2"), "TLSv1.3 HTTP/2.0")
        self.assertEqual(self.curl(url, "--http1.1", "--tls-max", "1.2"), "TLSv1.2 HTTP/1.1")
        self.assertEqual(self.curl(url, "--http2", "--tls-max", "1.2"), "TLSv1.2 HTTP/2.0")
        self.s_client(port, "-tls1_2", "-cipher", "AES128-GCM-SHA256", text="Verification: OK", input=b"")  # RSA decryption
        self.check_counts(port, 5)

    def test_listeners(self):
        server = self.nginx(workers=2, http=f"""octavo on; {self.pair()} {self.STATUS}
            server {{ listen 127.0.0.1:{{reuse}} ssl reuseport; return 200 reuse; }}
            server {{ listen 127.0.0.1:{{deferred}} ssl deferred; return 200 deferred; }}
            server {{ listen 127.0.0.1:{{proxied}} ssl proxy_protocol; return 200 $proxy_protocol_addr; }}
            server {{ listen unix:{self.folder}/sock ssl; return 200 local; }}""")
        for i in range(8):
            self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('reuse')}/"), "reuse")
        self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('deferred')}/"), "deferred")
        self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('proxied')}/", "--haproxy-protocol"), "127.0.0.1")
        self.assertEqual(self.curl("https://localhost/", "--unix-socket", self.folder + "/sock"), "local")
        self.check_offloaded(server, 11)

    def test_accept_mutex(self):
        server = self.nginx(workers=2, events="accept_mutex on; multi_accept on;", http=f"""octavo on; {self.pair()}
            server {{ listen 127.0.0.1:{{tls}} ssl; return 200 ok; }}""")
        report = self.load(server.port("tls"), "-c", "32", "-n", "500", "--request", "/")
        self.assertEqual(report["failures"], 0)

    def test_plain_http_on_a_tls_port(self):
        server = self.nginx(http=f"octavo on; server {{ listen 127.0.0.1:{{tls}} ssl; {self.pair()} return 200 ok; }}")
        out = self.curl(f"http://127.0.0.1:{server.port('tls')}/")
        self.assertIn("plain HTTP request was sent to HTTPS port", out)

    def test_names_and_kinds_of_certificates(self):
        server = self.nginx(http=f"""octavo on; {self.pair('rsa')} {self.pair('ec')}
            server {{ listen 127.0.0.1:{{tls}} ssl; return 200 first; location /status {{ octavo_status; }} }}
            server {{ listen 127.0.0.1:{{tls}} ssl; server_name other.test; {self.pair('other')} return 200 other; }}""".replace(
                "return 200 first;", "location = / { return 200 first; }"))
        port = server.port("tls")
        rsa = self.s_client(port, "-sigalgs", "RSA-PSS+SHA256", "-servername", "localhost", input=b"")
        self.assertIn("Peer signature type: RSA-PSS", rsa)
        ec = self.s_client(port, "-sigalgs", "ECDSA+SHA256", "-servername", "localhost", input=b"")
        self.assertIn("Peer signature type: ECDSA", ec)
        old = self.s_client(port, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", input=b"")
        self.assertIn("ECDHE-RSA-AES128-GCM-SHA256", old)
        # Each kind of certificate: the key exchange and the signature.
        status = self.status(port)
        self.assertEqual(status["handshakes_completed"], 4)
        self.assertEqual(status["pauses"], 4 * 3)
        self.s_client(port, "-servername", "other.test", text="subject=CN = other.test", input=b"")
        self.assertEqual(self.curl(f"https://other.test:{port}/", "--resolve", f"other.test:{port}:127.0.0.1"), "other")

    def test_on_and_off_on_one_address(self):
        def server(on_first, on_second):
            return self.nginx(http=f"""
                server {{ listen 127.0.0.1:{{tls}} ssl; {self.pair()} octavo {on_first};
                    location /status {{ octavo_status; }} location / {{ return 200 first; }} }}
                server {{ listen 127.0.0.1:{{tls}} ssl; server_name other.test; {self.pair('other')} octavo {on_second}; return 200 other; }}""")

        each = self.pauses_each()
        self.assertGreater(each, 0)
        for first, second in (("on", "off"), ("off", "on")):
            with self.subTest(first=first, second=second):
                port = server(first, second).port("tls")
                before = self.status(port)["pauses"]
                self.assertEqual(self.curl(f"https://other.test:{port}/", "--resolve", f"other.test:{port}:127.0.0.1"), "other")
                status = self.status(port)
                self.assertEqual(status["pauses"] - before, each)  # of the one or the other: the status's own connection counts
                self.assertEqual(status["handshakes_failed"], 0)

    def test_reject_handshake(self):
        server = self.nginx(http=f"""octavo on;
            server {{ listen 127.0.0.1:{{tls}} ssl default_server; ssl_reject_handshake on; }}
            server {{ listen 127.0.0.1:{{tls}} ssl; server_name localhost; {self.pair()} return 200 ok; }}""")
        port = server.port("tls")
        self.s_client(port, "-noservername", text="alert", input=b"")
        self.s_client(port, "-servername", "unknown.test", text="unrecognized name", input=b"")
        self.assertIn("handshake rejected", server.log())
        self.assertEqual(self.curl(f"https://localhost:{port}/", "--resolve", f"localhost:{port}:127.0.0.1"), "ok")

    def test_client_certificates(self):
        server = self.nginx(http=f"""octavo on; {self.pair()} ssl_client_certificate {self.certificates.path('ca.crt')};
            {self.STATUS}
            server {{ listen 127.0.0.1:{{must}} ssl; ssl_verify_client on; return 200 "$ssl_client_s_dn"; }}
            server {{ listen 127.0.0.1:{{may}} ssl; ssl_verify_client optional; return 200 "$ssl_client_verify"; }}""")
        mine = ("--cert", self.certificates.path("client.crt"), "--key", self.certificates.path("client.key"))
        for version in ("1.2", "1.3"):
            limits = ("--tls-max", version, f"--tlsv{version}")
            self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('must')}/", *mine, *limits), "CN=a client")
            self.assertIn("No required SSL certificate", self.curl(f"https://127.0.0.1:{server.port('must')}/", *limits))
            self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('may')}/", *mine, *limits), "SUCCESS")
            self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('may')}/", *limits), "NONE")
        self.check_offloaded(server, 8)

    def test_resumption(self):
        server = self.nginx(http=f"""octavo on; {self.pair()} {self.STATUS}
            server {{ listen 127.0.0.1:{{tickets}} ssl; return 200 "$ssl_session_reused"; }}
            server {{ listen 127.0.0.1:{{cache}} ssl; ssl_session_tickets off; ssl_session_cache shared:s:1m; return 200 "$ssl_session_reused"; }}""")
        for port in (server.port("tickets"), server.port("cache")):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = self.context(version)
                session, answers = None, []
                for _ in range(3):
                    with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), session=session) as s:
                        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                        answers.append(s.makefile("rb").read()[-1:])
                        session = s.session
                self.assertEqual(answers, [b".", b"r", b"r"])
        status = self.check_offloaded(server, 12)
        # A resumed one of TLS 1.2 has nothing to offload, one of TLS 1.3 its key exchange.
        self.assertEqual(status["pauses"], 4 * 3 + 4 * 2)

    def test_early_data(self):
        server = self.nginx(http=f"""octavo on; server {{ listen 127.0.0.1:{{tls}} ssl; {self.pair()} ssl_early_data on;
            location / {{ return 200 "early:$ssl_early_data:"; }} location /status {{ octavo_status; }} }}""")
        port = server.port("tls")
        session, request = os.path.join(self.folder, "session"), os.path.join(self.folder, "request")
        question = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with open(request, "wb") as f:
            f.write(question)
        self.s_client(port, "-tls1_3", "-sess_out", session, "-ign_eof", input=question)
        # nginx itself reads on to the client's Finished, after which the data is no longer early, if that is there too.
        for _ in range(20):
            out = self.s_client(port, "-tls1_3", "-sess_in", session, "-early_data", request, "-ign_eof", input=b"")
            self.assertIn("Early data was accepted", out)
            if "early:1:" in out:
                break
        self.assertIn("early:1:", out)
        # A ticket of another server's key: the early data is refused and the handshake is a full one.
        server.reload()
        out = self.s_client(port, "-tls1_3", "-sess_in", session, "-early_data", request, "-ign_eof", input=question)
        self.assertIn("early::", out)

    def test_stapling(self):
        responder = Responder(self)
        response = os.path.join(self.folder, "response.der")
        responder.answer_to_file("rsa", response)
        server = self.nginx(http=f"""octavo on; server {{ listen 127.0.0.1:{{tls}} ssl; {self.pair()} ssl_stapling on;
            ssl_stapling_file {response}; return 200 ok; }}
            server {{ listen 127.0.0.1:{{asked}} ssl; {self.pair()} ssl_stapling on; ssl_trusted_certificate {self.certificates.path('ca.crt')};
            ssl_stapling_responder http://127.0.0.1:{responder.port}/; return 200 ok; }}""")
        self.s_client(server.port("tls"), "-status", text="OCSP Response Status: successful", input=b"")
        until(lambda: "Response Status: successful" in self.s_client(server.port("asked"), "-status", input=b""), "a stapled answer")

    def test_client_certificates_by_ocsp(self):
        responder = Responder(self)
        server = self.nginx(http=f"""octavo on; {self.pair()} ssl_client_certificate {self.certificates.path('ca.crt')};
            server {{ listen 127.0.0.1:{{tls}} ssl; ssl_verify_client on; ssl_ocsp leaf; ssl_ocsp_responder http://127.0.0.1:{responder.port}/;
            location / {{ return 200 "$ssl_client_verify"; }} location /status {{ octavo_status; }} }}""")
        mine = ("--cert", self.certificates.path("client.crt"), "--key", self.certificates.path("client.key"))
        url = f"https://127.0.0.1:{server.port('tls')}/"
        for version in ("1.2", "1.3"):
            self.assertEqual(self.curl(url, *mine, "--tls-max", version, f"--tlsv{version}"), "SUCCESS")
        responder.revoke("client")
        until(lambda: "SSL certificate error" in self.curl(url, *mine), "the certificate is refused")

    def test_upstream(self):
        server = self.nginx(http=f"""octavo on; {self.pair()}
            server {{ listen 127.0.0.1:{{back}} ssl; ssl_client_certificate {self.certificates.path('ca.crt')}; ssl_verify_client on;
                ssl_verify_depth 2; return 200 "back $ssl_client_s_dn"; }}
            server {{ listen 127.0.0.1:{{front}} ssl http2; location / {{ proxy_pass https://127.0.0.1:{{back}};
                proxy_ssl_certificate {self.certificates.path('client.crt')}; proxy_ssl_certificate_key {self.certificates.path('client.key')};
                proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_trusted_certificate {self.certificates.path('ca.crt')}; proxy_ssl_session_reuse off; }}
                location /status {{ octavo_status; }} }}""")
        port = server.port("front")
        self.assertEqual(self.curl(f"https://127.0.0.1:{port}/"), "back CN=a client")
        report = self.load(port, "-c", "32", "-n", "400", "--request", "/")
        self.assertEqual(report["failures"], 0)
        self.assertEqual(self.status(port)["handshakes_failed"], 0)

    def test_nothing_else_pauses(self):
        """The request, and the handshake with an upstream that asks for an RSA certificate, run in place."""
        back = self.nginx(module=False, http=f"""{self.pair()} server {{ listen 127.0.0.1:{{tls}} ssl; ssl_verify_client on;
            ssl_client_certificate {self.certificates.path('ca.crt')}; return 200 back; }}""")
        server = self.nginx(http=f"""octavo on; {self.pair()} server {{ listen 127.0.0.1:{{tls}} ssl http2;
            location / {{ proxy_pass https://127.0.0.1:{back.port('tls')}; proxy_ssl_certificate {self.certificates.path('client.crt')};
                proxy_ssl_certificate_key {self.certificates.path('client.key')}; proxy_ssl_session_reuse off; }}
            location /status {{ octavo_status; }} }}""")
        url = f"https://127.0.0.1:{server.port('tls')}/"
        for _ in range(5):
            self.assertEqual(self.curl(url), "back")
        status = self.status(server.port("tls"))
        self.assertEqual(status["pauses"], 6 * self.pauses_each())  # the status's own connection is the sixth
        self.assertGreaterEqual(status["requests_in_place"], 5)

    def test_without_jobs(self):
        """No memory for stacks: handshakes go on in place."""
        server = self.nginx(user=False, main="user root;" if os.geteuid() == 0 else "", http=f"""octavo on; {self.pair()}
            server {{ listen 127.0.0.1:{{tls}} ssl; location / {{ return 200 ok; }} location /status {{ octavo_status; }} }}""")
        port, pid = server.port("tls"), server.workers()[0]
        self.load(port, "-c", "16", "-n", "300", "--request", "/")
        time.sleep(2.2)  # the stacks have been given back, the heap has not
        with open(f"/proc/{pid}/status") as f:
            size = int(re.search(r"VmSize:\s+(\d+) kB", f.read())[1])
        run("prlimit", "--pid", str(pid), f"--as={(size + 128) * 1024}:")
        report = self.load(port, "-c", "8", "-n", "200", "--request", "/")
        run("prlimit", "--pid", str(pid), "--as=unlimited:")
        self.assertEqual(report["failures"], 0, report)
        self.assertGreater(self.status(port)["steps_in_place"], 0)

    def test_stream(self):
        server = self.nginx(modules=(STREAM,), http="octavo on; server { listen 127.0.0.1:{plain}; return 200 plain; }" + self.STATUS,
                            blocks=f"""stream {{ octavo on; {self.pair()} ssl_protocols TLSv1.2 TLSv1.3;
            server {{ listen 127.0.0.1:{{tls}} ssl; proxy_pass 127.0.0.1:{{plain}}; }}
            server {{ listen 127.0.0.1:{{proxied}} ssl proxy_protocol; proxy_pass 127.0.0.1:{{plain}}; }}
            server {{ listen 127.0.0.1:{{said}} ssl; return "$ssl_protocol"; }}
            server {{ listen 127.0.0.1:{{twice}} ssl; proxy_pass 127.0.0.1:{{tls}}; proxy_ssl on; }} }}""")
        self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('tls')}/"), "plain")
        self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('tls')}/", "--tls-max", "1.2"), "plain")
        self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('proxied')}/", "--haproxy-protocol"), "plain")
        self.assertEqual(self.curl(f"https://127.0.0.1:{server.port('twice')}/"), "plain")
        self.s_client(server.port("said"), "-quiet", text="TLSv1.3", input=b"")
        report = self.load(server.port("tls"), "-c", "32", "-n", "400", "--request", "/")
        self.assertEqual(report["failures"], 0)
        self.check_offloaded(server, 2 + 1 + 2 + 1 + report["handshakes"])

    def test_mail(self):
        # The module may be loaded before the mail module or after it.
        server = self.nginx(modules=(MAIL,), http=self.STATUS + """server { listen 127.0.0.1:{auth}; location / { add_header Auth-Status OK;
            add_header Auth-Server 127.0.0.1; add_header Auth-Port 1; return 200; } }""",
                            blocks=f"""mail {{ octavo on; {self.pair()} ssl_protocols TLSv1.2 TLSv1.3; auth_http 127.0.0.1:{{auth}}/; server_name mail.test;
            server {{ listen 127.0.0.1:{{imaps}} ssl; protocol imap; }}
            server {{ listen 127.0.0.1:{{smtp}}; protocol smtp; starttls on; smtp_auth none; }} }}""")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.context(version).wrap_socket(socket.create_connection(("127.0.0.1", server.port("imaps")), 20)) as s:
                self.assertIn(b"IMAP4 ready", s.recv(100))
                s.sendall(b"a logout\r\n")
                self.assertIn(b"BYE", s.recv(100))
        self.s_client(server.port("smtp"), "-starttls", "smtp", "-ign_eof", text="221", input=b"quit\r\n")
        self.check_offloaded(server, 3)

    def test_key_log(self):
        """Stock nginx 1.22 has no directive for it: a preloaded library asks OpenSSL, as key loggers do."""
        server = self.nginx(start=False, main="env KEYLOG_FILE;", http=f"octavo on; server {{ listen 127.0.0.1:{{tls}} ssl; {self.pair()} return 200 ok; }} {self.STATUS}")
        keys = server.path("keys")
        open(keys, "w").close()
        os.chmod(keys, 0o666)
        server.environment.update(LD_PRELOAD=os.path.join(harness.BUILD, "lib/nginx-tests/keylog.so"), KEYLOG_FILE=keys)
        server.start()
        self.addCleanup(server.stop)
        for version in ("1.2", "1.3"):
            self.curl(f"https://127.0.0.1:{server.port('tls')}/", "--tls-max", version, f"--tlsv{version}")
        with open(keys) as f:
            lines = f.read()
        self.assertIn("CLIENT_RANDOM", lines)
        self.assertIn("SERVER_HANDSHAKE_TRAFFIC_SECRET", lines)
        self.check_offloaded(server, 2)

    def test_errors_stay_with_their_handshakes(self):
        """Clients that fail in every way beside others that do not; no error of one is seen by another."""
        server = self.nginx(http=f"""octavo on; {self.pair()} server {{ listen 127.0.0.1:{{tls}} ssl; return 200 ok; }}""")
        port = server.port("tls")
        stop = threading.Event()

        def trouble():
            hello = harness.client_hello()
            while not stop.is_set():
                for data in (hello[:-7] + b"\xff" * 7, hello + b"\x17\x03\x03\x00\x05junk!", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
                             hello + b"\x15\x03\x03\x00\x02\x02\x28", b"\x80\x2e\x01\x03\x01"):
                    with socket.create_connection(("127.0.0.1", port)) as s:
                        s.settimeout(2)
                        s.sendall(data)
                        try:
                            s.recv(65536)
                        except OSError:
                            pass

        thread = threading.Thread(target=trouble)
        thread.start()
        try:
            report = self.load(port, "-c", "16", "-n", "1500", "--request", "/")
        finally:
            stop.set()
            thread.join()
        self.assertEqual(report["failures"], 0)
        self.assertNotIn("stale global SSL error", server.log())


class Responder:
    """OCSP, by the openssl command."""

    def __init__(self, test):
        self.test = test
        self.folder = test.certificates.folder
        self.port = free_port()
        self.index = os.path.join(test.folder, "index.txt")
        self.write({})
        self.start()
        test.addCleanup(self.stop)

    def write(self, revoked):
        with open(self.index, "w") as f:
            for name in ("rsa", "client"):
                serial = run("openssl", "x509", "-in", f"{name}.crt", "-noout", "-serial", cwd=self.folder).strip().split("=")[1]
                state, when = ("R", "260101000000Z") if name in revoked else ("V", "")
                f.write(f"{state}\t491231235959Z\t{when}\t{serial}\tunknown\t/CN={name}\n")

    def common(self):
        return ["openssl", "ocsp", "-index", self.index, "-rsigner", "ca.crt", "-rkey", "ca.key", "-CA", "ca.crt"]

    def answer_to_file(self, name, path):
        request = path + ".request"
        run("openssl", "ocsp", "-issuer", "ca.crt", "-cert", f"{name}.crt", "-reqout", request, "-no_nonce", cwd=self.folder)
        run(*self.common(), "-reqin", request, "-respout", path, "-ndays", "1", cwd=self.folder)

    def start(self):
        self.output = open(self.index + ".log", "w+")
        self.process = subprocess.Popen([*self.common(), "-port", str(self.port), "-ndays", "1"], cwd=self.folder,
                                        stdout=self.output, stderr=subprocess.STDOUT)
        until(self.listens, "the OCSP responder", 60)

    def listens(self):
        """As it says itself: a connection that asks nothing would block it."""
        self.output.seek(0)
        return "waiting for OCSP client" in self.output.read()

    def revoke(self, name):
        self.stop()
        self.write({name})
        self.start()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.output.close()


if __name__ == "__main__":
    harness.main()
