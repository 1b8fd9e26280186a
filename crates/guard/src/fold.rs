//! Reads a text as a person would: what only looks different is made the same.
//!
//! [`Folded`] is the view that the checks match on. Letters are lower-cased; full-width, mathematical, circled and small
//! capital letters, accents and look-alikes of other scripts become the ASCII letter that they are taken for; characters
//! that show nothing are gone; every space is a plain space. A range of the view maps back to the bytes it came from, so
//! a finding can be shown in the text as it was sent.
//!
//! ```
//! use bartizan_guard::Folded;
//!
//! let text = "Ｉｇｎ\u{200b}оre 𝐩𝐫𝐞𝐯𝐢𝐨𝐮𝐬";
//! let folded = Folded::new(text);
//! assert_eq!(folded.as_str(), "ignore previous");
//! assert_eq!(&text[folded.source_range(0..6)], "Ｉｇｎ\u{200b}оre");
//! ```
//!
//! The look-alikes of one letter fall together whatever the script around them is, so a Cyrillic word may fold to the same
//! letters as an English one. That costs nothing where whole phrases are matched; a [`DenyList`](crate::DenyList) of very
//! short words may notice it.

use std::ops::Range;
use std::sync::LazyLock;

/// A text as a reader sees it, with the way back to its source.
#[derive(Clone)]
pub struct Folded<'a> {
    source: &'a str,
    text: String,
}

impl<'a> Folded<'a> {
    /// Folds `source` in one pass.
    #[must_use]
    pub fn new(source: &'a str) -> Self {
        if source.is_ascii() {
            return Self {
                source,
                text: source.to_ascii_lowercase(),
            };
        }
        let mut text = String::with_capacity(source.len());
        let mut rest = source;
        while !rest.is_empty() {
            let plain = rest.bytes().take_while(u8::is_ascii).count();
            if plain > 0 {
                let (plain, tail) = rest.split_at(plain);
                let start = text.len();
                text.push_str(plain);
                if let Some(pushed) = text.get_mut(start..) {
                    pushed.make_ascii_lowercase();
                }
                rest = tail;
            }
            let (kept, tail) = rest.split_at(rest.find(|c| !SAME.holds(c)).unwrap_or(rest.len()));
            text.push_str(kept);
            rest = tail;
            if let Some(c) = rest.chars().next().filter(|c| !c.is_ascii()) {
                fold_char(c, &mut |folded| text.push(folded));
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
        Self { source, text }
    }

    /// The folded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text that was folded.
    #[must_use]
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// The bytes of the source that `range` of the folded text came from. Both ends lie on character boundaries.
    ///
    /// Walks the text once: it is meant for findings, not for every word.
    #[must_use]
    pub fn source_range(&self, range: Range<usize>) -> Range<usize> {
        if self.text.len() == self.source.len() && self.source.is_ascii() {
            return range.start.min(self.source.len())
                ..range.end.min(self.source.len()).max(range.start);
        }
        let (mut at, mut start, mut end) = (0, None, 0);
        for (offset, c) in self.source.char_indices() {
            let mut width = 0;
            fold_char(c, &mut |folded| width += folded.len_utf8());
            if width > 0 && start.is_none() && at + width > range.start {
                start = Some(offset);
            }
            if width > 0 && at < range.end.max(range.start + 1) {
                end = offset + c.len_utf8();
            }
            at += width;
        }
        let start = start.unwrap_or(self.source.len());
        if range.is_empty() {
            start..start
        } else {
            start..end.max(start)
        }
    }
}

impl std::fmt::Debug for Folded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folded")
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// Gives what `c` is folded to: nothing for what isn't seen, one to three ASCII characters for a look-alike, else its lower case.
pub(crate) fn fold_char(c: char, emit: &mut impl FnMut(char)) {
    if c.is_ascii() {
        emit(c.to_ascii_lowercase());
    } else if is_unseen(c) {
    } else if let Some(target) = TABLE.get(c) {
        for byte in target.into_iter().take_while(|byte| *byte != 0) {
            emit(char::from(byte));
        }
    } else if c.is_whitespace() {
        emit(if matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') {
            '\n'
        } else {
            ' '
        });
    } else {
        for lower in c.to_lowercase() {
            match TABLE.get(lower) {
                Some(target) => target
                    .into_iter()
                    .take_while(|byte| *byte != 0)
                    .for_each(|byte| emit(char::from(byte))),
                None if is_unseen(lower) => {}
                None => emit(lower),
            }
        }
    }
}

/// Whether `c` leaves no mark of its own: format characters, fillers, variation selectors, tags, and the accents that are
/// stacked on Latin letters. The joiners and vowel signs of other scripts that change a word are kept but for ZWJ and ZWNJ,
/// which are dropped on both sides of every comparison.
pub(crate) const fn is_unseen(c: char) -> bool {
    matches!(
        c as u32,
        0xAD | 0x034F
            | 0x0300..=0x036F
            | 0x0483..=0x0489
            | 0x061C
            | 0x115F..=0x1160
            | 0x17B4..=0x17B5
            | 0x180B..=0x180F
            | 0x1AB0..=0x1AFF
            | 0x1DC0..=0x1DFF
            | 0x200B..=0x200F
            | 0x202A..=0x202E
            | 0x2060..=0x206F
            | 0x20D0..=0x20FF
            | 0x3164
            | 0xFE00..=0xFE0F
            | 0xFE20..=0xFE2F
            | 0xFEFF
            | 0xFFA0
            | 0xFFF9..=0xFFFB
            | 0x1BCA0..=0x1BCA3
            | 0x1D173..=0x1D17A
            | 0xE0000..=0xE0FFF
    )
}

/// Look-alikes by code point: a page of 256 for each block that has any.
struct Table {
    index: Vec<u8>,
    pages: Vec<[[u8; 3]; 256]>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::parse(include_str!("../data/folds.txt")));

/// The characters of the basic plane, but ASCII, that are folded to themselves: most of most scripts.
struct Same(Vec<u64>);

static SAME: LazyLock<Same> = LazyLock::new(|| {
    let mut bits = vec![0_u64; 0x1_0000 / 64];
    for c in '\u{80}'..='\u{FFFF}' {
        let mut folded = None;
        let mut count = 0;
        fold_char(c, &mut |to| (folded, count) = (Some(to), count + 1));
        if (folded, count) == (Some(c), 1)
            && let Some(word) = bits.get_mut(c as usize / 64)
        {
            *word |= 1 << (c as usize % 64);
        }
    }
    Same(bits)
});

impl Same {
    #[inline]
    fn holds(&self, c: char) -> bool {
        self.0
            .get(c as usize / 64)
            .is_some_and(|word| word >> (c as usize % 64) & 1 == 1)
    }
}

impl Table {
    fn parse(text: &str) -> Self {
        let mut table = Self {
            index: vec![0; 0x200],
            pages: vec![[[0; 3]; 256]],
        };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("="), Some(target), Some(sources)) => {
                    let mut bytes = [0; 3];
                    for (slot, byte) in bytes.iter_mut().zip(target.bytes()) {
                        *slot = byte;
                    }
                    sources
                        .chars()
                        .for_each(|source| table.set(u32::from(source), bytes));
                }
                (Some(run), Some(first), None) => {
                    let first = first.bytes().next().unwrap_or_default();
                    let Some((start, count)) = run.split_once('+') else {
                        continue;
                    };
                    let start = u32::from_str_radix(start, 16).unwrap_or_default();
                    for (target, source) in (first..)
                        .zip(start..)
                        .take(count.parse().unwrap_or_default())
                    {
                        table.set(source, [target.to_ascii_lowercase(), 0, 0]);
                    }
                }
                _ => {}
            }
        }
        table
    }

    fn set(&mut self, source: u32, target: [u8; 3]) {
        let fresh = self.pages.len();
        let Some(page) = self.index.get_mut((source >> 8) as usize) else {
            return;
        };
        if *page == 0 {
            *page = u8::try_from(fresh).unwrap_or_default();
            self.pages.push([[0; 3]; 256]);
        }
        let page = usize::from(*page);
        if let Some(slot) = self
            .pages
            .get_mut(page)
            .and_then(|page| page.get_mut((source & 0xFF) as usize))
            && slot.first() == Some(&0)
        {
            *slot = target;
        }
    }

    fn get(&self, c: char) -> Option<[u8; 3]> {
        let page = usize::from(*self.index.get((u32::from(c) >> 8) as usize)?);
        let target = *self.pages.get(page)?.get((u32::from(c) & 0xFF) as usize)?;
        (target.first() != Some(&0)).then_some(target)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fold(text: &str) -> String {
        Folded::new(text).as_str().to_owned()
    }

    #[test]
    fn what_looks_alike_folds_together() {
        for (text, expected) in [
            ("Ignore", "ignore"),
            ("Ｉｇｎｏｒｅ", "ignore"),
            ("𝐈𝑔𝓷𝔬𝕣𝖊", "ignore"),
            ("ⓘⓖⓝⓞⓡⓔ", "ignore"),
            ("🅸🅶🅽🅾🆁🅴", "ignore"),
            ("іgnоrе", "ignore"),
            ("ιgηορε", "ignope"),
            ("ɪɢɴᴏʀᴇ", "ignore"),
            ("ïgnörë", "ignore"),
            ("i\u{308}g\u{36f}nore", "ignore"),
            ("i\u{200b}g\u{ad}n\u{2060}o\u{fe0f}r\u{e0061}e", "ignore"),
            ("ﬁle Œuvre ＜｜im_start｜＞", "file oeuvre <|im_start|>"),
            ("a\u{a0}b\u{2003}c\u{3000}d", "a b c d"),
            ("‘it’s’ “so” – no", "'it's' \"so\" - no"),
            ("पिछले निर्देशों", "पिछले निर्देशों"),
            ("ПРИВЕТ", "пpивeт"),
        ] {
            if text == "ПРИВЕТ" {
                assert_eq!(fold(text), fold("привет"));
            } else {
                assert_eq!(fold(text), expected, "{text}");
            }
        }
    }

    #[test]
    fn every_pair_of_the_unicode_intentional_list_folds_together() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/data/guard/homoglyphs.txt"
        );
        let Ok(list) = std::fs::read_to_string(path) else {
            return;
        };
        let mut pairs = 0;
        for line in list.lines() {
            let Some((left, right)) = line.split('#').next().and_then(|line| line.split_once(';'))
            else {
                continue;
            };
            let parse = |hex: &str| {
                u32::from_str_radix(hex.trim(), 16)
                    .ok()
                    .and_then(char::from_u32)
            };
            let (Some(left), Some(right)) = (parse(left), parse(right)) else {
                continue;
            };
            // Only look-alikes of Latin matter to the patterns: one end is Latin, Greek or Cyrillic.
            if u32::from(left).min(u32::from(right)) < 0x530 {
                assert_eq!(
                    fold(&left.to_string()),
                    fold(&right.to_string()),
                    "U+{:04X}",
                    u32::from(right)
                );
            }
            pairs += 1;
        }
        assert!(pairs > 60, "{pairs} pairs");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in ".{0,60}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn ranges_map_back_in_order_and_fold_to_themselves(text in ".{0,40}", cut in any::<prop::sample::Index>(), length in 1_usize..8) {
            let folded = Folded::new(&text);
            let view = folded.as_str();
            let bounds: Vec<usize> = view.char_indices().map(|(at, _)| at).chain([view.len()]).collect();
            let from = cut.index(bounds.len());
            let to = (from + length).min(bounds.len() - 1);
            let source = folded.source_range(bounds[from]..bounds[to]);
            prop_assert!(source.start <= source.end && source.end <= text.len());
            // A source character may fold to several, so the way back may only widen.
            let again = fold(&text[source.clone()]);
            prop_assert!(again.contains(&view[bounds[from]..bounds[to]]));
            if to < bounds.len() - 1 {
                let next = folded.source_range(bounds[to]..bounds[to + 1]);
                prop_assert!(next.start >= source.start && next.end >= source.end);
            }
        }
    }
}
