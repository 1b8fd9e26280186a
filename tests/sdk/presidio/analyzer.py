"""Presidio's own analyzer library behind HTTP, asked by the gateway for what only a model finds.

Its words are split by spaCy's blank English, and its recognizer of persons is a list of names: what is tested is the protocol, not the model.
Run by `cargo xtask differential`; GATEWAY is the program.
"""

import http.server
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import spacy
from presidio_analyzer import AnalyzerEngine, AnalyzerRequest, BatchAnalyzerEngine, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine


class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__(ner_model_configuration=NerModelConfiguration())
        self.nlp = {"en": spacy.blank("en")}


def engine():
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.recognizers = [known for known in registry.recognizers if known.name != "SpacyRecognizer"]
    registry.add_recognizer(PatternRecognizer("PERSON", name="Names", deny_list=["Ravi Rao", "Sītā"], deny_list_score=0.85))
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    return BatchAnalyzerEngine(analyzer)


class Presidio(http.server.BaseHTTPRequestHandler):
    """As Presidio's server reads and answers. `fails` makes it do something else."""

    engine = None
    asked = []
    fails = None
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        Presidio.asked.append(body)
        if Presidio.fails == "closed":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if Presidio.fails == "slow":
            time.sleep(3)
        request = AnalyzerRequest(body)
        batch = isinstance(request.text, list)
        found = Presidio.engine.analyze_iterator(
            texts=request.text if batch else [request.text],
            language=request.language,
            entities=request.entities,
            score_threshold=request.score_threshold,
        )
        for one in [one for list in found for one in list]:
            del one.recognition_metadata
        text = json.dumps(list(found) if batch else found[0], default=lambda one: one.to_dict())
        self.answer(500 if Presidio.fails == "500" else 200, "<html>" if Presidio.fails == "garbage" else text)

    def answer(self, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            pass  # The gateway did not wait for it.

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


CONFIG = """
model_list:
  - model_name: nobody
    litellm_params: {model: openai/nobody, api_base: "http://127.0.0.1:9/v1"}
guardrails:
  - guardrail_name: names
    litellm_params:
      guardrail: presidio
      mode: pre_call
      default_on: true
      pii_entities_config: {PERSON: MASK, EMAIL_ADDRESS: MASK}
      presidio_analyzer_api_base: ANALYZER
      timeout: 1s
bartizan:
  listen: 127.0.0.1:PORT
  presidio: {listen: "127.0.0.1:SERVICE"}
"""


class Analyzer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        Presidio.engine = engine()
        cls.presidio = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Presidio)
        threading.Thread(target=cls.presidio.serve_forever, daemon=True).start()
        cls.folder = tempfile.TemporaryDirectory()
        port, service = free_port(), free_port()
        config = CONFIG.replace("ANALYZER", f"http://127.0.0.1:{cls.presidio.server_port}")
        path = os.path.join(cls.folder.name, "gateway.yaml")
        with open(path, "w") as file:
            file.write(config.replace("PORT", str(port)).replace("SERVICE", str(service)))
        cls.master = subprocess.run([os.environ["GATEWAY"], "keygen"], capture_output=True, text=True, check=True).stdout.split()[0]
        cls.log = open(os.path.join(cls.folder.name, "log"), "w+")
        cls.gateway = subprocess.Popen(
            [os.environ["GATEWAY"], "--config", path],
            cwd=cls.folder.name,
            env={"BARTIZAN_MASTER_KEY": cls.master, "RUST_LOG": "trace"},
            stdout=cls.log,
            stderr=cls.log,
        )
        cls.url, cls.service = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{service}"
        for _ in range(200):
            try:
                urllib.request.urlopen(cls.service + "/health").close()
                request = urllib.request.Request(
                    cls.url + "/key/generate",
                    b"{}",
                    {"content-type": "application/json", "authorization": f"Bearer {cls.master}"},
                )
                with urllib.request.urlopen(request) as answer:
                    cls.key = json.load(answer)["key"]
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the gateway did not start")

    @classmethod
    def tearDownClass(cls):
        cls.gateway.terminate()
        cls.gateway.wait()
        cls.presidio.shutdown()
        cls.log.close()
        cls.folder.cleanup()

    def setUp(self):
        Presidio.asked.clear()
        Presidio.fails = None

    def post(self, url, body):
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.key}"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def analyze(self, text, **more):
        return self.post(self.service + "/analyze", {"text": text, "language": "en", **more})

    def journal(self):
        with open(os.path.join(self.folder.name, "bartizan-data/audit.jsonl")) as journal:
            return journal.read().strip().splitlines()

    def chat(self, text):
        body = {"model": "nobody", "messages": [{"role": "user", "content": text}]}
        return self.post(self.url + "/v1/chat/completions", body)

    def test_names_come_from_presidio_and_the_rest_is_found_here(self):
        text = "\U0001f600\U0001f600 Sītā and Ravi Rao, ravi@example.in"
        status, found = self.analyze(text)
        self.assertEqual(status, 200, found)
        told = sorted((one["entity_type"], text[one["start"] : one["end"]]) for one in found)
        self.assertEqual(told, [("EMAIL_ADDRESS", "ravi@example.in"), ("PERSON", "Ravi Rao"), ("PERSON", "Sītā")])
        self.assertEqual(Presidio.asked, [{"text": text, "language": "en", "entities": ["PERSON"]}])

    def test_presidio_is_not_asked_for_what_is_found_here(self):
        status, found = self.analyze("ravi@example.in", entities=["EMAIL_ADDRESS"])
        self.assertEqual((status, len(found), Presidio.asked), (200, 1, []))

    def test_a_call_waits_for_presidio(self):
        status, _ = self.chat("I am Ravi Rao")
        # Nobody listens where the model would be: the call got as far.
        self.assertEqual(status, 502)
        self.assertEqual([asked["text"] for asked in Presidio.asked], ["I am Ravi Rao"])

    def test_every_failure_closes_the_call_and_is_told_by_name(self):
        for fails, reason in [
            ("500", "refused"),
            ("garbage", "unreadable"),
            ("closed", "unreachable"),
            ("slow", "timed_out"),
        ]:
            Presidio.fails = fails
            before = len(self.journal())
            status, answer = self.chat("I am Ravi Rao canary")
            self.assertEqual(status, 503, (fails, answer))
            self.assertEqual(answer["error"]["code"], "pii_model_unavailable")
            self.assertIn("presidio", answer["error"]["message"])
            self.assertEqual(self.analyze("Ravi Rao")[0], 503, fails)
            # A record may be written a moment after its answer has left.
            deadline = time.monotonic() + 5
            while len(self.journal()) == before and time.monotonic() < deadline:
                time.sleep(0.01)
            last = self.journal()[-1]
            self.assertIn(reason, last)
            self.assertIn("failed", last)
        with open(self.log.name) as log:
            said = log.read()
        self.assertNotIn("canary", said)
        self.assertNotIn("Ravi", said)


if __name__ == "__main__":
    unittest.main()
