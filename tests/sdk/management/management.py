"""Asks the management API for whatever its OpenAPI document allows, and for much that it doesn't, with a key of each role.

Run with the program that serves the API (`SERVE`): one process a role, so that no role's changes are in another's way. `SEED` and `CASES` choose
other questions than the usual ones.
"""

import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

SEED = os.environ.get("SEED", "1")
CASES = os.environ.get("CASES", "5")
ROLES = 6

# What the document promises of answers and refusals. Left out: that whatever fits the document is accepted, for no schema says which
# teams there are, which digits make an address, or that an alias is taken.
CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "allow_header_conformance",
        "ignored_auth",
    ]
)

# They take from the caller the key that it asks with.
SPENDING = "/regenerate$"
# They may, once some answer has told the key's name: so they are asked by themselves.
CLOSING = "/(block|delete|update|member_delete)$"


class Served:
    """The API on a port of its own, with a key of each role."""

    def __init__(self):
        self.process = subprocess.Popen([os.environ["SERVE"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.keys = dict(self.process.stdout.readline().split() for _ in range(ROLES))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def opens(self, key):
        """Whether the key still opens anything."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc)
        connection.request("GET", "/key/info", headers={"authorization": f"Bearer {key}"})
        return connection.getresponse().status == 200


def ask(url, key, phases, *options):
    """Gives whether all answers were as promised, and how many there were of each status."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "answers.json")
        command = [
            pathlib.Path(sys.executable).parent / "st",
            "run",
            f"{url}/openapi.json",
            *("--header", f"Authorization: Bearer {key}"),
            *("--seed", SEED, "--max-examples", CASES, "--phases", phases, "--checks", CHECKS),
            *("--generation-database", "none", "--warnings", "off", "--no-color"),
            *("--report", "har", "--report-har-path", report),
            *options,
        ]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print(done.stdout)
        entries = json.loads(report.read_text())["log"]["entries"]
        return done.returncode == 0, collections.Counter(entry["response"]["status"] for entry in entries)


def judge(role):
    """Asks with a key of the role: how many answers there were of each status, and what was wrong."""
    with Served() as served:
        key = served.keys[role]
        fit, answers = ask(served.url, key, "examples,coverage,fuzzing,stateful", "--exclude-path-regex", f"{SPENDING}|{CLOSING}")
        for paths in CLOSING, SPENDING:
            if not served.opens(key):
                return answers, ["the key was lost on the way, so not all was asked with it"]
            also_fit, more = ask(served.url, key, "examples,coverage,fuzzing", "--include-path-regex", paths)
            fit &= also_fit
            answers += more
    wrong = [] if fit else ["an answer is not as the document says, or there was none"]
    if not answers[200] or not answers[400]:
        wrong.append("nothing was granted, or nothing refused, so this shows nothing")
    return answers, wrong


def main():
    with Served() as served:
        roles = list(served.keys)
    failed = len(roles) != ROLES
    with concurrent.futures.ThreadPoolExecutor(2) as both:
        for role, (answers, wrong) in zip(roles, both.map(judge, roles)):
            told = ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))
            print(f"{role}: {sum(answers.values())} answers ({told})", *wrong, sep="\n  ", flush=True)
            failed |= bool(wrong)
    sys.exit(failed)


main()
