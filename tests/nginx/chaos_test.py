"""Handshakes while the device restarts, hangs, fails and is slow at random: none fails, and the counters add up."""

import random
import threading
import time

import harness
from harness import until

SECONDS = 5 if harness.SHORT else 60
FAULTS = (("restart", "--ms", "50"), ("hang",), ("error", "--percent", "30"), ("delay", "--ms", "5"), ("kill",))


class Chaos(harness.Test):
    def fault(self, server, *words):
        harness.run(harness.OCTAVO, "fault", *words, "--pid", ",".join(map(str, server.workers())))

    def torment(self, server, end, counts):
        dice = random.Random(5)
        while time.monotonic() < end:
            words = dice.choice(FAULTS)
            self.fault(server, *words)
            counts[words[0]] = counts.get(words[0], 0) + 1
            time.sleep(dice.uniform(0.02, 0.15))
            if dice.random() < 0.7:
                self.fault(server, "clear")
        self.fault(server, "clear")

    def figures(self, server):
        return harness.json.loads(self.curl(f"http://127.0.0.1:{server.port('plain')}/"))

    def totals(self, server):
        """What each worker has counted, by itself."""
        document = harness.json.loads(harness.run(harness.OCTAVO, "doctor", "--json", "--seconds", "0.1", check=False))
        return {p["pid"]: p["total"] | {"in_flight": p["in_flight"]} for p in document["processes"] if p["pid"] in server.workers()}

    def check_worker(self, total):
        self.assertEqual(total["submitted"], total["completed"] + total["cancelled"])
        self.assertEqual((total["failed"], total["in_flight"]), (0, 0))
        computed = total["lane_requests"] + total["scalar_requests"] + sum(total["fallback"].values())
        self.assertGreaterEqual(computed, total["completed"])

    def test_no_handshake_fails(self):
        server = self.nginx(start=False, workers=2, main="env OCTAVO_FAULTS;", http=f"""octavo on; {self.pair()}
            server {{ listen 127.0.0.1:{{tls}} ssl backlog=4096; ssl_session_cache off; return 200 ok; }}
            server {{ listen 127.0.0.1:{{plain}}; location / {{ octavo_status; }} }}""")
        server.environment["OCTAVO_FAULTS"] = "1"
        server.start()
        self.addCleanup(server.stop)
        counts = {}
        tormentor = threading.Thread(target=self.torment, args=(server, time.monotonic() + SECONDS, counts))
        tormentor.start()
        report = self.load(server.port("tls"), "-c", "32", "-d", str(SECONDS))
        tormentor.join()
        until(lambda: self.figures(server)["requests_in_flight"] == 0, "nothing is in flight", 20)
        time.sleep(1.2)  # a worker publishes its counters within a second
        figures = self.figures(server)
        fallback = figures["fallback"]
        print(f"faults {counts}, handshakes {figures['handshakes_completed']}, fell back {fallback}", flush=True)
        print({k: v for k, v in report.items() if isinstance(v, (int, float))}, flush=True)
        self.assertEqual(figures["handshakes_failed"], 0)
        self.assertGreater(figures["handshakes_completed"], 100)
        self.assertEqual(figures["requests_failed"], 0)
        self.assertEqual(figures["requests_submitted"], figures["requests_completed"] + figures["requests_cancelled"])
        self.assertGreater(fallback["endpoint"], 0)
        self.assertGreater(fallback["device"], 0)
        self.assertLessEqual(fallback["endpoint"] + fallback["device"], figures["requests_completed"])
        totals = self.totals(server)
        self.assertEqual(sorted(totals), sorted(server.workers()))
        for total in totals.values():
            self.check_worker(total)
        self.assertEqual(sum(total["submitted"] for total in totals.values()), figures["requests_submitted"])
        self.assertEqual(figures["workers_away"], 0)
        self.assertEqual(server.complaints(), [])


harness.main()
