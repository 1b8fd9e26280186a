//! The operator's own words.

use std::fmt;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::fold::fold_char;
use crate::rules::forms;
use crate::{Check, Error, Finding, Progress, Risk, Sample, StreamCheck, Watcher};

/// In bytes, folded.
const LONGEST_WORD: usize = 256;

/// Finds words and phrases that the operator names, whatever their case, width, accents, look-alikes, hidden characters
/// and line breaks.
///
/// ```
/// use bartizan_guard::{Check, DenyList, Sample};
///
/// let check = DenyList::new("rivals", ["Acme Corp", "Zenith"])?;
/// assert!(check.find(&Sample::new("Is ＡＣＭＥ\n  córp better?")).is_some());
/// assert!(check.find(&Sample::new("the zeniths of summer")).is_none());
/// assert!(check.clone().inside_words().find(&Sample::new("the zeniths of summer")).is_some());
/// # Ok::<(), bartizan_guard::Error>(())
/// ```
///
/// A finding's rule is the list's name, never the word. Words are whole unless [told](Self::inside_words) otherwise: no
/// letter or digit may stand beside them.
#[derive(Clone)]
pub struct DenyList {
    name: &'static str,
    words: Arc<Words>,
    whole: bool,
}

struct Words {
    finder: AhoCorasick,
    /// Their first parts, up to a space: a text without any of them needs no closer look.
    heads: AhoCorasick,
    /// Sorted, to tell whether a text's end may become one.
    sorted: Vec<String>,
    longest: usize,
}

impl DenyList {
    /// Creates a check that finds `words`. `name` is the rule's id in refusals, notes and metrics.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyWord`] and [`Error::LongWord`] give the place of a word that can't be matched, from 0;
    /// [`Error::TooManyWords`] if no automaton holds them.
    pub fn new<W: AsRef<str>>(
        name: &'static str,
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, Error> {
        let mut sorted = Vec::new();
        for (place, word) in words.into_iter().enumerate() {
            for form in forms(word.as_ref()) {
                let form: Vec<&str> = form.split_whitespace().collect();
                let form = form.join(" ");
                if form.is_empty() {
                    return Err(Error::EmptyWord(place));
                }
                if form.len() > LONGEST_WORD {
                    return Err(Error::LongWord(place));
                }
                sorted.push(form);
            }
        }
        sorted.sort();
        sorted.dedup();
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&sorted);
        let longest = sorted.iter().map(String::len).max().unwrap_or(0);
        let mut heads: Vec<&str> = sorted
            .iter()
            .filter_map(|word| word.split(' ').next())
            .collect();
        heads.dedup();
        let heads = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(heads);
        let words = Words {
            finder: finder.map_err(|_| Error::TooManyWords)?,
            heads: heads.map_err(|_| Error::TooManyWords)?,
            sorted,
            longest,
        };
        Ok(Self {
            name,
            words: Arc::new(words),
            whole: true,
        })
    }

    /// Finds the words inside other words too.
    #[must_use]
    pub fn inside_words(mut self) -> Self {
        self.whole = false;
        self
    }

    fn scan(&self) -> Scan {
        Scan {
            list: self.clone(),
            at: 0,
            before: None,
            folded: String::new(),
            places: Vec::new(),
            found: false,
        }
    }
}

impl Check for DenyList {
    fn name(&self) -> &'static str {
        "deny_list"
    }

    fn find(&self, sample: &Sample<'_>) -> Option<Finding> {
        if !self.words.heads.is_match(sample.folded().as_str()) {
            return None;
        }
        let mut scan = self.scan();
        match scan.push(sample.text()) {
            Progress::Found(finding) => Some(finding),
            Progress::Clear(_) => scan.finish(),
        }
    }
}

impl StreamCheck for DenyList {
    fn watch(&self) -> Box<dyn Watcher> {
        Box::new(self.scan())
    }
}

impl fmt::Debug for DenyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenyList")
            .field("name", &self.name)
            .field("words", &self.words.sorted.len())
            .field("whole", &self.whole)
            .finish()
    }
}

struct Scan {
    list: DenyList,
    /// Bytes of the flow so far.
    at: usize,
    /// What stands before `folded`.
    before: Option<char>,
    /// What may still become a word, folded, with single spaces.
    folded: String,
    /// For each byte of it, where its source begins and ends.
    places: Vec<(usize, usize)>,
    found: bool,
}

impl Scan {
    fn take(&mut self, piece: &str) {
        for c in piece.chars() {
            let at = self.at;
            if c.is_ascii_graphic() {
                self.folded.push(c.to_ascii_lowercase());
                self.places.push((at, at + 1));
                self.at += 1;
                continue;
            }
            let (folded, places, width) = (&mut self.folded, &mut self.places, c.len_utf8());
            fold_char(c, &mut |c| {
                let c = if c.is_whitespace() { ' ' } else { c };
                if c != ' ' || !folded.ends_with(' ') {
                    folded.push(c);
                    places.resize(folded.len(), (at, at + width));
                }
            });
            self.at += width;
        }
    }

    /// The first word to end that stands as it should. Of what ends the text, only `over` says that nothing follows.
    fn look(&self, over: bool) -> Option<Finding> {
        for found in self.list.words.finder.find_overlapping_iter(&self.folded) {
            let before = self
                .folded
                .get(..found.start())
                .and_then(|text| text.chars().next_back())
                .or(self.before);
            let after = self
                .folded
                .get(found.end()..)
                .and_then(|text| text.chars().next());
            let apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
            if self.list.whole && !(apart(before) && apart(after) && (after.is_some() || over)) {
                continue;
            }
            let start = self
                .places
                .get(found.start())
                .map_or(self.at, |place| place.0);
            let end = self
                .places
                .get(found.end() - 1)
                .map_or(self.at, |place| place.1);
            return Some(Finding::new(Risk::Policy, self.list.name, start..end));
        }
        None
    }

    /// Drops what can't become a word any more.
    fn trim(&mut self) {
        let words = &*self.list.words;
        let from = self.folded.len().saturating_sub(words.longest);
        let keep = self
            .folded
            .char_indices()
            .map(|(at, _)| at)
            .filter(|at| *at >= from)
            .find(|at| {
                let tail = self.folded.get(*at..).unwrap_or_default();
                let fits = || {
                    let first = words.sorted.partition_point(|word| word.as_str() < tail);
                    words
                        .sorted
                        .get(first)
                        .is_some_and(|word| word.starts_with(tail))
                };
                let before = self
                    .folded
                    .get(..*at)
                    .and_then(|text| text.chars().next_back())
                    .or(self.before);
                (!self.list.whole || !before.is_some_and(char::is_alphanumeric)) && fits()
            });
        let keep = keep.unwrap_or(self.folded.len());
        if let Some(last) = self
            .folded
            .get(..keep)
            .and_then(|text| text.chars().next_back())
        {
            self.before = Some(last);
        }
        self.folded.drain(..keep);
        self.places.drain(..keep);
    }
}

impl Watcher for Scan {
    fn push(&mut self, piece: &str) -> Progress {
        self.take(piece);
        if !self.found
            && let Some(finding) = self.look(false)
        {
            self.found = true;
            return Progress::Found(finding);
        }
        self.trim();
        Progress::Clear(self.places.first().map_or(self.at, |place| place.0))
    }

    fn finish(&mut self) -> Option<Finding> {
        if self.found { None } else { self.look(true) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list() -> DenyList {
        DenyList::new("test", ["Project Falcon", "αβγ", "ab", "a b a"]).unwrap()
    }

    #[test]
    fn words_are_found_however_they_are_written() {
        for (text, span) in [
            ("the project falcon plan", Some(4..18)),
            ("PROJECT\n\n falcon", Some(0..16)),
            ("prоject fаlcon!", Some(0..16)),
            ("pro\u{200b}ject falcon", Some(0..17)),
            ("my project falcons", None),
            ("ΑΒΓ", Some(0..6)),
            ("ab\u{200b} c", Some(0..2)),
            ("αβγδ", None),
            ("x-ab-y", Some(2..4)),
            ("xab", None),
        ] {
            assert_eq!(
                list()
                    .find(&Sample::new(text))
                    .map(|finding| finding.span()),
                span,
                "{text}"
            );
        }
    }

    #[test]
    fn words_that_show_nothing_are_refused() {
        assert!(matches!(
            DenyList::new("x", ["ok", " \u{200b}"]),
            Err(Error::EmptyWord(1))
        ));
        assert!(matches!(
            DenyList::new("x", ["y".repeat(300)]),
            Err(Error::LongWord(0))
        ));
        assert_eq!(format!("{:?}", list()).matches("falcon").count(), 0);
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(
            text in "([aAbB ,\u{200b}\nＡ]|project| falcon){0,12}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
            inside in any::<bool>(),
        ) {
            let check = if inside { list().inside_words() } else { list() };
            let whole = check.find(&Sample::new(&text));
            let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| bounds[cut.index(bounds.len())]).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let mut watcher = check.watch();
            let (mut cleared, mut streamed) = (0, None);
            for pair in cuts.windows(2) {
                match watcher.push(&text[pair[0]..pair[1]]) {
                    Progress::Clear(upto) => {
                        prop_assert!(upto >= cleared && upto <= pair[1]);
                        cleared = upto;
                    }
                    Progress::Found(finding) => {
                        streamed = Some(finding);
                        break;
                    }
                }
            }
            let streamed = streamed.or_else(|| watcher.finish());
            if let Some(finding) = &streamed {
                prop_assert!(cleared <= finding.span().start);
            }
            prop_assert_eq!(streamed, whole);
        }
    }
}
