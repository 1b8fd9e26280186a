"""What Presidio's recognisers take: a JSON object a line comes in, and its answer goes out before the next one is read.

`{"text": …, "every": …, "seconds": …}` has the text analyzed until so much time has gone by, once at least, and is told the seconds of a call and
how much it found. Splitting the text into words is left out. The first line that goes out says that all is loaded.
"""

import json
import sys
import time
from importlib.metadata import version

from patterns import analyzer

THRESHOLD = 0.4


def main():
    engines = {every: analyzer(THRESHOLD, every) for every in (False, True)}
    for engine in engines.values():
        engine.analyze(text="warm up 4111111111111111", language="en")
    print(json.dumps({"version": version("presidio-analyzer"), "recognizers": [len(engine.registry.recognizers) for engine in engines.values()]}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        engine, text = engines[asked["every"]], asked["text"]
        artifacts = engine.nlp_engine.process_text(text, "en")
        calls, start = 0, time.process_time()
        while True:
            found = engine.analyze(text=text, language="en", nlp_artifacts=artifacts)
            calls += 1
            took = time.process_time() - start
            if took >= asked["seconds"]:
                break
        print(json.dumps({"seconds": took / calls, "found": len(found)}), flush=True)


main()
