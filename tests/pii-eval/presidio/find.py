"""What Presidio finds in texts: a JSON string a line comes in, a JSON array of findings a line goes out."""

import json
import sys
import time
from importlib.metadata import version

from patterns import analyzer

# As the default threshold of an `AnalyzerEngine` is 0, what nobody would act on is left out here as we leave it out.
THRESHOLD = float(sys.argv[1]) if len(sys.argv) > 1 else 0.4


def main():
    engine = analyzer(THRESHOLD)
    texts = [json.loads(line) for line in sys.stdin]
    engine.analyze(text="warm up 4111111111111111", language="en")
    seconds = 0.0
    for text in texts:
        artifacts = engine.nlp_engine.process_text(text, "en")
        start = time.process_time()
        found = engine.analyze(text=text, language="en", nlp_artifacts=artifacts)
        seconds += time.process_time() - start
        rows = [{"entity": one.entity_type, "start": one.start, "end": one.end, "score": one.score} for one in found]
        print(json.dumps(rows))
    print(json.dumps({"seconds": seconds, "version": version("presidio-analyzer")}))


main()
