//! Characters that are another way to write ASCII: of mathematics, in circles and brackets, raised and lowered, full-width and small, and letters in one.
//!
//! They fold as NFKC has them, but for brackets and dots around a digit or letter, which spell nothing; a test compares all.

/// What a character is folded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelled {
    /// It is no way to write ASCII.
    Not,
    One(u8),
    /// All but the last, and the last.
    Many(&'static [u8], u8),
}

/// How a character may stand beside a number without belonging to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    Nothing,
    /// It counts what follows: `①98765 43210`.
    Counts,
    /// It points from what stands before it to a note: `98765 43210¹`.
    Notes,
}

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";
const NINE: &[u8] = b"123456789";

/// A first character, and what it and those behind it stand for.
const ONE: &[(u32, &[u8])] = &[
    (0xAA, b"a"),
    (0xB2, b"23"),
    (0xB9, b"1o"),
    (0x17F, b"s"),
    (0x2B0, b"h"),
    (0x2B2, b"jr"),
    (0x2B7, b"wy"),
    (0x2E1, b"lsx"),
    (0x37E, b";"),
    (0x1D2C, b"A"),
    (0x1D2E, b"B"),
    (0x1D30, b"DE"),
    (0x1D33, b"GHIJKLMN"),
    (0x1D3C, b"O"),
    (0x1D3E, b"PRTUWa"),
    (0x1D47, b"bde"),
    (0x1D4D, b"g"),
    (0x1D4F, b"km"),
    (0x1D52, b"o"),
    (0x1D56, b"ptu"),
    (0x1D5B, b"v"),
    (0x1D62, b"iruv"),
    (0x1D9C, b"c"),
    (0x1DA0, b"f"),
    (0x1DBB, b"z"),
    (0x1FEF, b"`"),
    (0x2024, b"."),
    (0x2070, b"0i"),
    (0x2074, b"456789+"),
    (0x207C, b"=()n0123456789+"),
    (0x208C, b"=()"),
    (0x2090, b"aeox"),
    (0x2095, b"hklmnpstwyz"),
    (0x2102, b"C"),
    (0x210A, b"gHHHh"),
    (0x2110, b"IILl"),
    (0x2115, b"N"),
    (0x2119, b"PQRRR"),
    (0x2124, b"Z"),
    (0x2128, b"Z"),
    (0x212A, b"K"),
    (0x212C, b"BC"),
    (0x212F, b"eEF"),
    (0x2133, b"Mo"),
    (0x2139, b"i"),
    (0x2145, b"Ddeij"),
    (0x2160, b"I"),
    (0x2164, b"V"),
    (0x2169, b"X"),
    (0x216C, b"LCDM"),
    (0x2170, b"i"),
    (0x2174, b"v"),
    (0x2179, b"x"),
    (0x217C, b"lcdm"),
    (0x2460, NINE),
    (0x2474, NINE),
    (0x2488, NINE),
    (0x249C, LOWER),
    (0x24B6, UPPER),
    (0x24D0, LOWER),
    (0x24EA, b"0"),
    (0x24F5, NINE),
    (0x24FF, b"0"),
    (0x2776, NINE),
    (0x2780, NINE),
    (0x278A, NINE),
    (0x2C7C, b"jV"),
    (0xA7F1, b"SCFQ"),
    (0xFB29, b"+"),
    (0xFE10, b","),
    (0xFE13, b":;!?"),
    (0xFE33, b"__(){}"),
    (0xFE47, b"[]"),
    (0xFE4D, b"___,"),
    (0xFE52, b"."),
    (0xFE54, b";:?!"),
    (0xFE59, b"(){}"),
    (0xFE5F, b"#&*+-<>="),
    (0xFE68, b"\\$%@"),
    (0x107A5, b"q"),
    (0x1CCD6, UPPER),
    (0x1CCF0, DIGITS),
    (0x1F100, b"0"),
    (0x1F101, DIGITS),
    (0x1F10B, b"00"),
    (0x1F110, UPPER),
    (0x1F12B, b"CR"),
    (0x1F130, UPPER),
    (0x1F150, UPPER),
    (0x1F170, UPPER),
    (0x1FBF0, DIGITS),
];

/// Full-width ASCII.
const WIDE: (u32, u32) = (0xFF01, 0xFF5E);
/// Thirteen alphabets of 52 letters, and five times ten digits.
const LETTERS: (u32, u32) = (0x1D400, 0x1D6A3);
const FIGURES: (u32, u32) = (0x1D7CE, 0x1D7FF);

const MANY: &[(u32, &str)] = &[
    (0x132, "IJ"),
    (0x133, "ij"),
    (0x1C7, "LJ"),
    (0x1C8, "Lj"),
    (0x1C9, "lj"),
    (0x1CA, "NJ"),
    (0x1CB, "Nj"),
    (0x1CC, "nj"),
    (0x1F1, "DZ"),
    (0x1F2, "Dz"),
    (0x1F3, "dz"),
    (0x277F, "10"),
    (0x2789, "10"),
    (0x2793, "10"),
    (0xFB00, "ff"),
    (0xFB01, "fi"),
    (0xFB02, "fl"),
    (0xFB03, "ffi"),
    (0xFB04, "ffl"),
    (0xFB05, "st"),
    (0xFB06, "st"),
];

/// From the first character on, numbers of two digits that start with the second.
const NUMBERS: &[(u32, u8, u8)] = &[
    (0x2469, 10, 20),
    (0x247D, 10, 20),
    (0x2491, 10, 20),
    (0x24EB, 11, 20),
    (0x3251, 21, 35),
    (0x32B1, 36, 50),
];

/// How `code` is folded.
#[inline]
pub(super) fn spelled(code: u32) -> Spelled {
    let Some(value) = PAGES.value(code) else {
        return Spelled::Not;
    };
    match value {
        0 => Spelled::Not,
        one @ ..0x80 => Spelled::One(one),
        number @ NUMBER.. => Spelled::Many(
            TENS.get(usize::from((number - NUMBER) / 10)..)
                .and_then(|tens| tens.get(..1))
                .unwrap_or_default(),
            b'0' + (number - NUMBER) % 10,
        ),
        many => {
            let many = MANY.get(usize::from(many - 0x80));
            match many.and_then(|(_, text)| text.as_bytes().split_last()) {
                Some((last, rest)) => Spelled::Many(rest, *last),
                None => Spelled::Not,
            }
        }
    }
}

/// How `code`, which is folded to a digit, may stand beside a number.
pub(super) fn beside(code: u32) -> Beside {
    match code {
        0xB2 | 0xB3 | 0xB9 | 0x2070..=0x2079 | 0x2080..=0x2089 => Beside::Notes,
        0x2460..=0x249B
        | 0x24EA..=0x24FF
        | 0x2776..=0x2793
        | 0x3251..=0x325F
        | 0x32B1..=0x32BF
        | 0x1F100..=0x1F10C => Beside::Counts,
        _ => Beside::Nothing,
    }
}

const TENS: &[u8] = DIGITS;

/// A value from here on is a number of two digits.
const NUMBER: u8 = 0xA0;

/// So many characters share a page.
const PAGE: u32 = 64;
const PAGE_LENGTH: usize = 64;
/// No character that is folded so comes behind these pages.
const KNOWN: usize = 0x1FC00 / PAGE_LENGTH;
const MOST_PAGES: usize = 64;

/// A value for each character, in pages of which most are the first, which is empty.
struct Pages {
    of: [u8; KNOWN],
    pages: [[u8; PAGE_LENGTH]; MOST_PAGES],
}

static PAGES: Pages = Pages::new();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "it runs when the crate is built, and would fail then"
)]
impl Pages {
    const fn new() -> Self {
        let mut this = Self {
            of: [0; KNOWN],
            pages: [[0; PAGE_LENGTH]; MOST_PAGES],
        };
        let mut count = 1;
        let mut at = 0;
        while at < ONE.len() {
            let (first, bytes) = ONE[at];
            let mut place = 0;
            while place < bytes.len() {
                count = this.set(first + place as u32, bytes[place], count);
                place += 1;
            }
            at += 1;
        }
        at = 0;
        while at < MANY.len() {
            count = this.set(MANY[at].0, 0x80 + at as u8, count);
            at += 1;
        }
        at = 0;
        while at < NUMBERS.len() {
            let (first, least, most) = NUMBERS[at];
            let mut number = least;
            while number <= most {
                count = this.set(first + (number - least) as u32, NUMBER + number, count);
                number += 1;
            }
            at += 1;
        }
        let mut code = WIDE.0;
        while code <= WIDE.1 {
            count = this.set(code, (code - WIDE.0) as u8 + b'!', count);
            code += 1;
        }
        code = LETTERS.0;
        while code <= LETTERS.1 {
            let place = (code - LETTERS.0) as usize % 52;
            let letter = if place < 26 {
                UPPER[place]
            } else {
                LOWER[place - 26]
            };
            count = this.set(code, letter, count);
            code += 1;
        }
        code = FIGURES.0;
        while code <= FIGURES.1 {
            count = this.set(code, DIGITS[(code - FIGURES.0) as usize % 10], count);
            code += 1;
        }
        this
    }

    /// Sets a character's value, and says how many pages there are.
    const fn set(&mut self, code: u32, value: u8, count: usize) -> usize {
        let place = (code / PAGE) as usize;
        let mut count = count;
        if self.of[place] == 0 {
            self.of[place] = count as u8;
            count += 1;
        }
        self.pages[self.of[place] as usize][(code % PAGE) as usize] = value;
        count
    }

    #[inline]
    fn value(&self, code: u32) -> Option<u8> {
        let place = usize::try_from(code / PAGE).ok()?;
        let page = self.of.get(place).filter(|page| **page > 0)?;
        let within = usize::try_from(code % PAGE).ok()?;
        self.pages
            .get(usize::from(*page))
            .and_then(|page| page.get(within))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use crate::fold::Folded;

    /// What isn't folded as NFKC has it, and why.
    const EXCEPTIONS: &[(std::ops::RangeInclusive<u32>, &str)] = &[
        (0x2025..=0x2026, "dots of prose, which spell nothing"),
        (0x203C..=0x203C, "signs of prose, which spell nothing"),
        (0x2047..=0x2049, "signs of prose, which spell nothing"),
        (
            0x20A8..=0x20A8,
            "stands before a number and is no part of it",
        ),
        (
            0x2100..=0x2101,
            "a sign for words, beside which numbers stand",
        ),
        (
            0x2105..=0x2106,
            "a sign for words, beside which numbers stand",
        ),
        (
            0x2116..=0x2116,
            "stands before a number and is no part of it",
        ),
        (
            0x2120..=0x2122,
            "stands beside a name or number and is no part of it",
        ),
        (
            0x213B..=0x213B,
            "stands before a number and is no part of it",
        ),
        (0x2161..=0x2163, "a number of several letters"),
        (0x2165..=0x2168, "a number of several letters"),
        (0x216A..=0x216B, "a number of several letters"),
        (0x2171..=0x2173, "a number of several letters"),
        (0x2175..=0x2178, "a number of several letters"),
        (0x217A..=0x217B, "a number of several letters"),
        (0x2474..=0x2487, "folded without its brackets"),
        (0x2488..=0x249B, "folded without its dot"),
        (0x249C..=0x24B5, "folded without its brackets"),
        (
            0x2A74..=0x2A76,
            "a sign of mathematics, which spells nothing",
        ),
        (0x3250..=0x3250, "a sign for a word"),
        (0x32CC..=0x32CF, "a unit, before which a number ends"),
        (0x3371..=0x33FF, "a unit, before which a number ends"),
        (0xFE19..=0xFE19, "dots of prose, which spell nothing"),
        (0xFE30..=0xFE30, "dots of prose, which spell nothing"),
        (0x1F100..=0x1F10A, "folded without its dot or comma"),
        (0x1F110..=0x1F129, "folded without its brackets"),
        (0x1F12D..=0x1F12E, "a sign for a word"),
        (0x1F14A..=0x1F14F, "a sign for a word"),
        (0x1F16A..=0x1F16C, "a sign for a word"),
        (0x1F190..=0x1F190, "a sign for a word"),
    ];

    /// Every character that NFKC makes ASCII of, with that.
    fn spelled() -> impl Iterator<Item = (char, String)> {
        ('\u{80}'..=char::MAX).filter_map(|character| {
            let normal: String = std::iter::once(character).nfkc().collect();
            normal.is_ascii().then_some((character, normal))
        })
    }

    #[test]
    fn what_nfkc_makes_ascii_of_is_folded_alike_or_has_its_reason() {
        let mut used = std::collections::BTreeSet::new();
        let (mut count, mut wrong) = (0, Vec::new());
        for (character, normal) in spelled() {
            count += 1;
            let text = character.to_string();
            let folded = Folded::new(&text);
            let excepted = EXCEPTIONS
                .iter()
                .position(|(range, _)| range.contains(&u32::from(character)));
            let alike = folded.bytes() == normal.as_bytes();
            if alike == excepted.is_some() {
                wrong.push(format!(
                    "U+{:04X} {character} folds to {:?}, NFKC has {normal:?}",
                    u32::from(character),
                    folded.bytes()
                ));
            }
            used.extend(excepted);
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(count > 1_300, "{count}");
        assert_eq!(used.len(), EXCEPTIONS.len());
    }

    #[test]
    fn letters_in_one_lead_back_to_the_character() {
        let text = "a\u{fb03}x \u{2473}.";
        let folded = Folded::new(text);
        assert_eq!(folded.bytes(), b"affix 20.");
        for (from, to, source) in [
            (0, 9, text),
            (1, 2, "\u{fb03}"),
            (2, 3, "\u{fb03}"),
            (3, 5, "\u{fb03}x"),
            (4, 5, "x"),
            (7, 8, "\u{2473}"),
            (8, 9, "."),
        ] {
            assert_eq!(&text[folded.start(from)..folded.end(to)], source);
        }
        assert_eq!((folded.whole(2), folded.whole(3)), (4, 4));
        assert_eq!(
            (folded.whole(1), folded.whole(4), folded.whole(9)),
            (1, 4, 9)
        );
    }
}
