"""Writes the table of numbering plans, or numbers to judge it by, from libphonenumber's metadata.

    make.py plans DAY FILE    the table: crates/pii/data/phones.txt
    make.py cases FILE        numbers with what the package `phonenumbers` says of each

The metadata describes a region's numbers by one regular expression a type. Each is read into an automaton, and all are
walked together, a length at a time: a prefix behind which every number is valid is written, with its neighbours as one range.
"""

import random
import re
import sys
import warnings

warnings.simplefilter("ignore", DeprecationWarning)

import phonenumbers
import sre_parse
from phonenumbers import PhoneMetadata, phonenumberutil

TYPES = (
    "fixed_line mobile toll_free premium_rate shared_cost personal_number voip pager uan voicemail"
).split()
DIGITS = range(10)
EVERY = (1 << 10) - 1
# So many valid numbers, and so many others, of each region.
CASES = 60
HEAD = """\
# How the telephone numbers of each region are built: facts of Google's libphonenumber (Apache-2.0), whose metadata the Python
# package phonenumbers {version} brings. Made on {day} by `cargo xtask phones {day}`; not for editing by hand.
#
# A region's line: ISO 3166's two letters (001: of no region), calling code, national prefix or -. Below it a line for each length of its
# national numbers: the length, and the leading digits that are in use. `20-3` is 20 to 23.
"""


def metadata():
    """All regions by calling code, the main region of each first."""
    for code, regions in sorted(phonenumberutil.COUNTRY_CODE_TO_REGION_CODE.items()):
        for region in regions:
            if region == "001":
                yield region, PhoneMetadata.metadata_for_nongeo_region(code)
            else:
                yield region, PhoneMetadata.metadata_for_region(region)


class Language:
    """The digits that a regular expression takes: an automaton, and sets of its states."""

    def __init__(self, pattern):
        self.empty, self.moves, self.known = [], [], {}
        start = self.state()
        self.end = self.build(sre_parse.parse(pattern), start)
        self.start = self.closed({start})

    def state(self):
        self.empty.append([])
        self.moves.append([])
        return len(self.moves) - 1

    def build(self, tree, at):
        for kind, what in tree:
            kind = str(kind)
            if kind == "LITERAL":
                at = self.move(at, 1 << int(chr(what)))
            elif kind == "IN":
                at = self.move(at, sum({digits(*one) for one in what}))
            elif kind == "BRANCH":
                end = self.state()
                for branch in what[1]:
                    start = self.state()
                    self.empty[at].append(start)
                    self.empty[self.build(branch, start)].append(end)
                at = end
            elif kind == "SUBPATTERN":
                at = self.build(what[3], at)
            elif kind in ("MAX_REPEAT", "MIN_REPEAT"):
                least, most, tree_within = what
                assert most < 30, "an unbounded number"
                ends = []
                for times in range(most + 1):
                    if times >= least:
                        ends.append(at)
                    if times < most:
                        at = self.build(tree_within, at)
                at = self.state()
                for end in ends:
                    self.empty[end].append(at)
            else:
                raise ValueError(f"{kind} in a pattern")
        return at

    def move(self, at, digits):
        to = self.state()
        self.moves[at].append((digits, to))
        return to

    def closed(self, states):
        all_states, left = set(states), list(states)
        while left:
            for state in self.empty[left.pop()]:
                if state not in all_states:
                    all_states.add(state)
                    left.append(state)
        return frozenset(all_states)

    def step(self, states, digit):
        key = states, digit
        if key not in self.known:
            self.known[key] = self.closed(
                {to for state in states for digits, to in self.moves[state] if digits >> digit & 1}
            )
        return self.known[key]


def digits(kind, what):
    kind = str(kind)
    if kind == "LITERAL":
        return 1 << int(chr(what))
    if kind == "RANGE":
        return sum(1 << int(chr(digit)) for digit in range(what[0], what[1] + 1))
    assert str(what) == "CATEGORY_DIGIT", what
    return EVERY


def prefixes(every, some, length):
    """The shortest prefixes behind which all numbers of `length` are in `every` and in one of `some`."""
    counts = {}

    def step(states, digit):
        return every.step(states[0], digit), tuple(
            language.step(own, digit) for language, own in zip(some, states[1])
        )

    def count(states, rest):
        key = states, rest
        if key not in counts:
            if not states[0] or not any(states[1]):
                counts[key] = 0
            elif rest:
                counts[key] = sum(count(step(states, digit), rest - 1) for digit in DIGITS)
            else:
                taken = any(language.end in own for language, own in zip(some, states[1]))
                counts[key] = int(every.end in states[0] and taken)
        return counts[key]

    def walk(states, prefix, rest):
        valid = count(states, rest)
        if valid == 10**rest and prefix:
            yield prefix
        elif valid:
            for digit in DIGITS:
                yield from walk(step(states, digit), prefix + str(digit), rest - 1)

    start = every.start, tuple(language.start for language in some)
    return list(walk(start, "", length))


def ranges(prefixes, length):
    """Neighbours together, as `120461-4`."""
    joined = []
    for prefix in prefixes:
        first, last = prefix.ljust(length, "0"), prefix.ljust(length, "9")
        if joined and int(joined[-1][1]) + 1 == int(first):
            joined[-1][1] = last
        else:
            joined.append([first, last])
    for first, last in joined:
        # As few digits as say it.
        cut = max(len(first.rstrip("0")), len(last.rstrip("9")), 1)
        first, last = first[:cut], last[:cut]
        same = next((at for at in range(cut) if first[at] != last[at]), cut)
        yield first if same == cut else f"{first}-{last[same:]}"


def lengths(plan):
    """The lengths of a region's numbers, each with its ranges."""
    general, patterns = plan.general_desc, {}
    for name in TYPES:
        kind = getattr(plan, name)
        if kind is not None and kind.national_number_pattern:
            for length in kind.possible_length or general.possible_length:
                if length > 0:
                    patterns.setdefault(length, {})[kind.national_number_pattern] = None
    every = Language(general.national_number_pattern)
    for length, own in sorted(patterns.items()):
        found = list(ranges(prefixes(every, [Language(pattern) for pattern in own], length), length))
        if found:
            yield length, found


def plans(day):
    yield HEAD.format(version=phonenumbers.__version__, day=day)
    for region, plan in metadata():
        yield f"{region} {plan.country_code} {plan.national_prefix or '-'}\n"
        for length, found in lengths(plan):
            yield f"{length} {','.join(found)}\n"


def is_valid(text, region):
    """Whether it is valid, and whether it is in `region`: `None`, in any."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return False
    if region is None:
        return phonenumbers.is_valid_number(number)
    return phonenumbers.is_valid_number_for_region(number, region)


def cases():
    """Lines `REGION NUMBER yes|no`: as it is dialled from abroad (region -), and at home."""
    chance = random.Random(7)

    def one(of):
        return "".join(str(chance.randrange(10)) for _ in range(of))

    for region, plan in metadata():
        known = list(lengths(plan))
        if not known:
            continue
        for form in ("abroad", "home"):
            if form == "home" and region == "001":
                continue
            kinds = {True: set(), False: set()}
            for tries in range(40_000):
                if all(len(kind) >= CASES for kind in kinds.values()):
                    break
                length, found = chance.choice(known)
                # A number that is near a valid one as often as one that is any.
                start = chance.choice(found).split("-")[0] if tries % 2 else ""
                start = start[: max(0, len(start) - chance.randrange(3))] if tries % 4 == 3 else start
                length += chance.choice((0, 0, 0, 1, -1)) if tries % 2 == 0 else 0
                national = (start + one(max(length, 1)))[: max(length, 1)]
                if form == "abroad":
                    text, of = f"+{plan.country_code}{national}", None
                else:
                    text, of = f"{plan.national_prefix or ''}{national}", region
                # At home, what an international prefix opens is a number of elsewhere.
                elsewhere = form == "home" and re.match(plan.international_prefix or "$", text)
                if elsewhere:
                    continue
                kind = kinds[is_valid(text, of)]
                if len(kind) < CASES:
                    kind.add(text)
            for verdict, numbers in kinds.items():
                for number in sorted(numbers):
                    of = region if form == "home" else "-"
                    yield f"{of} {number} {'yes' if verdict else 'no'} {region}\n"


def main(words):
    match words:
        case ["plans", day, path]:
            lines = plans(day)
        case ["cases", path]:
            lines = cases()
        case _:
            sys.exit(__doc__)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines)


main(sys.argv[1:])
