"""Counts tokens with OpenAI's tiktoken, for `cargo xtask tokens`.

    make.py counts FILE     counts the texts of FILE (lines of JSON) anew, in place
    make.py vectors FILE    writes made texts with their counts

The vocabularies are read from the package of Rust that carries them; tiktoken checks each by the hash of the published file.
"""

import gzip
import json
import os
import pathlib
import random
import subprocess
import sys

os.environ["TIKTOKEN_CACHE_DIR"] = ""

import tiktoken
import tiktoken.load


def vocabularies():
    """The folder in which bpe-openai keeps them."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--features", "bartizan-limit/exact"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
    manifest = next(package["manifest_path"] for package in packages if package["name"] == "bpe-openai")
    return pathlib.Path(manifest).parent / "data"


FOLDER = vocabularies()
tiktoken.load.read_file = lambda path: gzip.decompress((FOLDER / (path.rsplit("/", 1)[-1] + ".gz")).read_bytes())
O200K = tiktoken.get_encoding("o200k_base")
CL100K = tiktoken.get_encoding("cl100k_base")


def counted(line):
    line["o200k"] = len(O200K.encode_ordinary(line["text"]))
    line["cl100k"] = len(CL100K.encode_ordinary(line["text"]))
    return json.dumps(line, ensure_ascii=False)


# What the patterns that split texts tell apart, and what once was split wrongly.
PIECES = [
    " ", "  ", "\n", "\r\n", "\n\n", "\t", "\u00a0", "\u2003", "\u3000", "\u2028", "\x0b", "\x85", "'s", "'S", "'ll", "'LL", "’s", "'ſ", "'", "I'm", "they'Re",
    "a", "Word", "WORD", "camelCase", "HTTPServer", "x1", "é", "ß", "ſ", "İ", "ǅ", "ʰ", "ǃ", "中", "文字", "か", "カ", "한글", "नमस्ते", "தமிழ்", "ไทย", "عربي", "עברית",
    "русский", "ελληνικά", "0", "12", "123", "1234567", "٣٤٥", "Ⅷ", "½", "²", "①", ".", "...", "!?", "/", "//", "--", "==", "_", "$", "€", "(", "){", "}\n", ";\n", ",",
    "\u0301", "a\u0301\u0323", "\u200d", "\ufe0f", "👍", "👍🏽", "👩‍👩‍👧", "🇮🇳", "<|endoftext|>", "<|fim_prefix|>", "<|endofprompt|>", "<|im_start|>", "\x00", "\x7f",
    "\ufeff", "\ue000", "\U0001d400", "\U00020000", "\U0010ffff", "http://", "aaaaaaaa", "        ", "\n    ", "    \n",
]


def made():
    dice = random.Random(20261124)
    for piece in PIECES:
        yield piece
        yield piece * 7
    for _ in range(4_000):
        yield "".join(dice.choice(PIECES) for _ in range(dice.randrange(1, 14)))
    for _ in range(500):
        yield "".join(chr(dice.choice([dice.randrange(32, 127), dice.randrange(128, 0xD800), dice.randrange(0xE000, 0x110000)])) for _ in range(dice.randrange(1, 40)))
    yield "".join(dice.choice(PIECES) for _ in range(20_000))


what, file = sys.argv[1], pathlib.Path(sys.argv[2])
if what == "counts":
    lines = [json.loads(line) for line in file.read_text().split("\n") if line]
else:
    lines = [{"text": text} for text in made()]
    file.parent.mkdir(parents=True, exist_ok=True)
file.write_text("".join(counted(line) + "\n" for line in lines))
