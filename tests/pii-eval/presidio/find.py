"""Presidio's pattern recognisers on texts: a JSON string a line comes in, a JSON array of findings a line goes out.

No model: words are split by spaCy's blank English, so that context words count, and nothing is downloaded.
India's recognisers, which are off by default, are on.
"""

import json
import logging
import sys
import time
from importlib.metadata import version

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, predefined_recognizers
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

logging.disable(logging.WARNING)
INDIA = ["InAadhaarRecognizer", "InGstinRecognizer", "InPanRecognizer", "InPassportRecognizer", "InVehicleRegistrationRecognizer", "InVoterRecognizer"]
# As the default threshold of an `AnalyzerEngine` is 0, what nobody would act on is left out here as we leave it out.
THRESHOLD = float(sys.argv[1]) if len(sys.argv) > 1 else 0.4


class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__(ner_model_configuration=NerModelConfiguration())
        self.nlp = {"en": spacy.blank("en")}


def main():
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.recognizers = [known for known in registry.recognizers if known.name != "SpacyRecognizer"]
    there = {known.name for known in registry.recognizers}
    for name in INDIA:
        if name not in there:
            registry.add_recognizer(getattr(predefined_recognizers, name)())
    engine = Blank()
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"], default_score_threshold=THRESHOLD)
    texts = [json.loads(line) for line in sys.stdin]
    analyzer.analyze(text="warm up 4111111111111111", language="en")
    seconds = 0.0
    for text in texts:
        artifacts = engine.process_text(text, "en")
        start = time.process_time()
        found = analyzer.analyze(text=text, language="en", nlp_artifacts=artifacts)
        seconds += time.process_time() - start
        rows = [{"entity": one.entity_type, "start": one.start, "end": one.end, "score": one.score} for one in found]
        print(json.dumps(rows))
    print(json.dumps({"seconds": seconds, "version": version("presidio-analyzer")}))


main()
