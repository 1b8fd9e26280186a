"""Makes tiny models that label tokens, each in a folder as they are exported: model.onnx, tokenizer.json, config.json.

Nothing is trained: a model adds up what a token says of itself, what the token before it says of its neighbour, and where it stands.
"""

import json
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

NOTHING = {"padding": None, "truncation": None, "normalizer": None, "decoder": None}
IOB = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-MISC", "I-MISC"]


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def graph(tokens, labels, says, after=None, positions=34, inputs=("input_ids", "attention_mask"), kind=TensorProto.FLOAT, wait=None):
    """`says[token][label]` and `after[token][label]` are added to the logits of a token and of the one behind it."""
    own = np.zeros((len(tokens), len(labels)), np.float32)
    own[:, 0] = 4
    behind = np.zeros_like(own)
    for table, words in ((own, says), (behind, after or {})):
        for word, logits in words.items():
            for label, logit in logits.items():
                table[tokens.index(word), labels.index(label)] = logit
    nodes = [
        helper.make_node("Gather", ["own", "input_ids"], ["of_token"]),
        helper.make_node("Slice", ["input_ids", "zero", "minus_one", "one"], ["all_but_last"]),
        helper.make_node("Pad", ["all_but_last", "left"], ["before"], mode="constant"),
        helper.make_node("Gather", ["behind", "before"], ["of_neighbour"]),
        helper.make_node("Shape", ["input_ids"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["length"]),
        helper.make_node("Slice", ["positions", "zero", "length", "zero"], ["place"]),
        helper.make_node("Add", ["of_token", "of_neighbour"], ["of_both"]),
        # More tokens than there are places can't be added.
        helper.make_node("Add", ["of_both", "place"], ["placed"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "two"], ["masks"]),
        helper.make_node("Mul", ["placed", "masks"], ["all"]),
    ]
    last = "all"
    if "token_type_ids" in inputs:
        # A second text turns everything over.
        nodes += [
            helper.make_node("Cast", ["token_type_ids"], ["types"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["types", "two"], ["typed"]),
            helper.make_node("Mul", ["typed", "many"], ["turned"]),
            helper.make_node("Sub", [last, "turned"], ["first"]),
        ]
        last = "first"
    constants = [
        constant("own", own),
        constant("behind", behind),
        constant("positions", np.zeros((positions, len(labels)), np.float32)),
        constant("many", np.float32(100)),
        constant("zero", np.array([0])),
        constant("one", np.array([1])),
        constant("two", np.array([2])),
        constant("minus_one", np.array([-1])),
        constant("left", np.array([0, 1, 0, 0])),
    ]
    if wait:
        last = slow(nodes, constants, tokens.index(wait), last)
    nodes.append(helper.make_node("Cast", [last], ["logits"], to=kind))
    shape = ["batch", "tokens"]
    made = helper.make_graph(
        nodes,
        "labels",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in inputs],
        [helper.make_tensor_value_info("logits", kind, [*shape, len(labels)])],
        constants,
    )
    # As old as the oldest runtime that is served knows.
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return model


def slow(nodes, constants, token, last):
    """Turns in a circle a few million times for each `token` there is."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["on"], ["go_on"]),
            helper.make_node("Sin", ["value"], ["next"]),
        ],
        "turn",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, []),
        ],
    )
    constants += [
        constant("wait", np.array(token)),
        constant("turns", np.array(50_000_000)),
        constant("yes", np.array(True)),
        constant("nothing", np.float32(0)),
    ]
    nodes += [
        helper.make_node("Equal", ["input_ids", "wait"], ["waits"]),
        helper.make_node("Cast", ["waits"], ["counted"], to=TensorProto.INT64),
        helper.make_node("ReduceSum", ["counted"], ["count"], keepdims=0),
        helper.make_node("Mul", ["count", "turns"], ["trips"]),
        helper.make_node("Loop", ["trips", "yes", "nothing"], ["turned_to"], body=body),
        helper.make_node("Add", [last, "turned_to"], ["waited"]),
    ]
    return "waited"


def around(first, last, ids):
    special = lambda token: {"SpecialToken": {"id": token, "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    other = {"Sequence": {"id": "B", "type_id": 0}}
    return {
        "type": "TemplateProcessing",
        "single": [special(first), text, special(last)],
        "pair": [special(first), text, special(last), other, special(last)],
        "special_tokens": {token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in (first, last)},
    }


def added(tokens, specials):
    return [
        {"id": tokens.index(token), "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for token in specials
    ]


def write(folder, model, labels, tokenizer, pad=0, positions=34):
    folder.mkdir(parents=True, exist_ok=True)
    save(model, folder / "model.onnx")
    config = {"model_type": "tiny", "id2label": {str(number): label for number, label in enumerate(labels)}}
    config |= {"label2id": {label: number for number, label in enumerate(labels)}, "pad_token_id": pad, "max_position_embeddings": positions}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", **NOTHING, **tokenizer}, ensure_ascii=False))


def words(root):
    """Words, in the labels of CoNLL-2003."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokens = [*specials, *"a Ravi Rao Asha Pune Acme Inc . Diwali maybe Mr wait".split()]
    says = {
        "Ravi": {"B-PER": 9},
        "Asha": {"B-PER": 9},
        "Rao": {"I-PER": 9},
        "Pune": {"B-LOC": 9},
        "Acme": {"B-ORG": 9},
        "Inc": {"I-ORG": 9},
        "Diwali": {"B-MISC": 9},
        "maybe": {"B-PER": 4.1},
    }
    tokenizer = {
        "added_tokens": added(tokens, specials),
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": around("[CLS]", "[SEP]", {token: number for number, token in enumerate(tokens)}),
        "model": {"type": "WordLevel", "vocab": {token: number for number, token in enumerate(tokens)}, "unk_token": "[UNK]"},
        # What an export may carry and we don't want.
        "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
    }
    after = {"Mr": {"B-PER": 12}}
    write(root / "words", graph(tokens, IOB, says, after), IOB, tokenizer)
    write(root / "slow", graph(tokens, IOB, says, after, wait="wait"), IOB, tokenizer)
    write(root / "half", graph(tokens, IOB, says, kind=TensorProto.FLOAT16), IOB, tokenizer)
    extra = ("input_ids", "attention_mask", "position_ids")
    write(root / "extra", graph(tokens, IOB, says, inputs=extra), IOB, tokenizer)


def pieces(root):
    """Parts of words in lower case, as BERT's, in IOBES."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokens = [*specials, *"a ra ##vi ##o asha patil in pune o ' brien राव , - jean ##ne".split()]
    labels = ["O", "S-PER", "B-PER", "I-PER", "E-PER", "S-GPE"]
    one = {"S-PER": 9}
    says = {"ra": one, "##vi": {"I-PER": 9}, "asha": {"B-PER": 9}, "patil": {"E-PER": 9}, "pune": {"S-GPE": 9}, "राव": one, "jean": one}
    says |= {"o": {"B-PER": 9}, "'": {"I-PER": 9}, "brien": {"E-PER": 9}}
    tokenizer = {
        "added_tokens": added(tokens, specials),
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": around("[CLS]", "[SEP]", {token: number for number, token in enumerate(tokens)}),
        "model": {
            "type": "WordPiece",
            "vocab": {token: number for number, token in enumerate(tokens)},
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
        },
    }
    inputs = ("input_ids", "token_type_ids", "attention_mask")
    write(root / "pieces", graph(tokens, labels, says, inputs=inputs), labels, tokenizer)


def letters():
    """How byte-level tokenizers write a byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(byte) if byte in plain else chr(256 + byte - len([one for one in plain if one < byte])) for byte in range(256)]


def bytes_(root):
    """Bytes, as RoBERTa's, with names of sorts alone. Names are known with a blank before them."""
    alphabet = letters()
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *alphabet]
    merges, says = [], {}
    for name, label in (("Ravi", "PERSON"), ("José", "PERSON"), ("Юля", "PERSON"), ("र", "PERSON"), ("Pune", "LOC")):
        written = [alphabet[byte] for byte in f" {name}".encode()]
        whole = written[0]
        for letter in written[1:]:
            merges.append(f"{whole} {letter}")
            whole += letter
            tokens.append(whole)
        says[whole] = {label: 9}
    labels = ["O", "PERSON", "LOC"]
    ids = {token: number for number, token in enumerate(tokens)}
    tokenizer = {
        "added_tokens": added(tokens, ["<s>", "<pad>", "</s>", "<unk>"]),
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True, "add_prefix_space": False},
        "model": {
            "type": "BPE",
            "vocab": ids,
            "merges": merges,
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
        },
    }
    write(root / "bytes", graph(tokens, labels, says), labels, tokenizer, pad=1)


def unigram(root):
    """Pieces with the blank before them, as XLM-RoBERTa's."""
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁Ravi", "▁Rao", "▁a", "▁Pune", ",", "(", ")", "Ravi", "."]
    says = {"▁Ravi": {"B-PER": 9}, "Ravi": {"B-PER": 9}, "▁Rao": {"I-PER": 9}, "▁Pune": {"B-LOC": 9}}
    tokenizer = {
        "added_tokens": added(tokens, ["<s>", "<pad>", "</s>", "<unk>"]),
        "normalizer": {"type": "NFKC"},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "post_processor": around("<s>", "</s>", {token: number for number, token in enumerate(tokens)}),
        "model": {"type": "Unigram", "unk_id": 3, "vocab": [[token, -1.0 - len(tokens) / 100] for token in tokens], "byte_fallback": False},
    }
    write(root / "unigram", graph(tokens, IOB, says), IOB, tokenizer, pad=1)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    for make in (words, pieces, bytes_, unigram):
        make(root)
    print(", ".join(sorted(folder.name for folder in root.iterdir())))
