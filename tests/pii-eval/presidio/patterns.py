"""Presidio's pattern recognisers without a model: words are split by spaCy's blank English, so that context words count, and nothing is downloaded."""

import inspect
import logging

import spacy
from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry, predefined_recognizers
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

logging.disable(logging.WARNING)
INDIA = ["InAadhaarRecognizer", "InGstinRecognizer", "InPanRecognizer", "InPassportRecognizer", "InVehicleRegistrationRecognizer", "InVoterRecognizer"]


class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__(ner_model_configuration=NerModelConfiguration())
        self.nlp = {"en": spacy.blank("en")}


def analyzer(threshold, every=False):
    """Those that are on by default and India's; with `every`, those of all other states and languages too."""
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.recognizers = [known for known in registry.recognizers if known.name != "SpacyRecognizer"]
    there = {known.name for known in registry.recognizers}
    for name in states() if every else INDIA:
        if name not in there:
            registry.add_recognizer(getattr(predefined_recognizers, name)(supported_language="en"))
    return AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"], default_score_threshold=threshold)


def states():
    found = inspect.getmembers(predefined_recognizers, inspect.isclass)
    return [name for name, kind in found if issubclass(kind, PatternRecognizer)]
