//! Characters that a person doesn't see and a model reads.

use crate::fold::is_unseen;
use crate::{Check, Finding, Progress, Risk, Sample, StreamCheck, Watcher};

/// Finds text that is hidden from people: tag characters, runs of variation selectors, bidirectional overrides, and
/// zero-width characters inside words or in long runs.
///
/// | rule | finds | lets pass |
/// |---|---|---|
/// | `tag_characters` | U+E0001, and U+E0020 to U+E007F | the flags of subdivisions, such as Scotland's |
/// | `variation_selectors` | two in a row, and any that no character takes | one after an emoji or an ideograph |
/// | `bidi_override` | U+202D and U+202E | marks, embeddings and isolates at a word's edge |
/// | `hidden_in_word` | a zero-width or direction character between two letters of a script that needs none | joiners in emoji, Indic, Arabic and Persian words; soft hyphens |
/// | `hidden_run` | four or more in a row | a byte order mark, single ones beside spaces, as copied text has them |
///
/// ```
/// use bartizan_guard::{Check, Invisible, Sample};
///
/// let check = Invisible::new();
/// let finding = check.find(&Sample::new("ig\u{200b}nore")).expect("a hidden character");
/// assert_eq!((finding.rule(), finding.span()), ("hidden_in_word", 2..5));
/// assert!(check.find(&Sample::new("👩‍💻 🏴󠁧󠁢󠁳󠁣󠁴󠁿 ❤️ क्‍ष می‌خواهم")).is_none());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Invisible(());

impl Invisible {
    /// Creates the check.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl Check for Invisible {
    fn name(&self) -> &'static str {
        "invisible"
    }

    fn find(&self, sample: &Sample<'_>) -> Option<Finding> {
        let mut scan = Scan::default();
        match scan.push(sample.text()) {
            Progress::Found(finding) => Some(finding),
            Progress::Clear(_) => scan.finish(),
        }
    }
}

impl StreamCheck for Invisible {
    fn watch(&self) -> Box<dyn Watcher> {
        Box::new(Scan::default())
    }
}

/// So many in a row carry a message.
const LONGEST_RUN: usize = 3;

/// What stands before a run of unseen characters.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Before {
    #[default]
    Other,
    /// A letter or digit of Latin, Greek or Cyrillic, whose words need no joiner.
    Letter,
    /// An ideograph, which takes a selector of the supplement.
    Ideograph,
    /// The black flag, which takes tags.
    Flag,
}

#[derive(Default)]
struct Scan {
    at: usize,
    before: Before,
    run: Option<Run>,
    found: bool,
}

#[derive(Clone, Copy, Default)]
struct Run {
    start: usize,
    end: usize,
    count: usize,
    /// Some of it may not stand in a word.
    splits: bool,
    selector: bool,
    tags: usize,
    closed: bool,
}

impl Scan {
    fn unseen(&mut self, c: char) -> Option<&'static str> {
        let before = self.before;
        let run = self.run.get_or_insert(Run {
            start: self.at,
            ..Run::default()
        });
        run.end = self.at + c.len_utf8();
        match c as u32 {
            0xE007F if before == Before::Flag && matches!(run.tags, 3..=6) && !run.closed => {
                run.closed = true
            }
            0xE0030..=0xE0039 | 0xE0061..=0xE007A
                if before == Before::Flag && run.tags < 6 && !run.closed =>
            {
                run.tags += 1
            }
            0xE0000..=0xE007F => return Some("tag_characters"),
            0xFE00..=0xFE0F | 0xE0100..=0xE01EF => {
                // An emoji's own selector is often left behind where the emoji was taken out.
                let taken = match c as u32 {
                    0xFE0E | 0xFE0F => true,
                    0xFE00..=0xFE0D => before != Before::Letter,
                    _ => before == Before::Ideograph,
                };
                if run.selector || !taken {
                    return Some("variation_selectors");
                }
                run.selector = true;
            }
            0x202D | 0x202E => return Some("bidi_override"),
            _ => {
                run.selector = false;
                run.count += 1;
                // Soft hyphens are typography; accents are seen.
                run.splits |= !matches!(c as u32, 0xAD | 0x34F | 0x0300..=0x0489 | 0x1AB0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F);
                if matches!(c as u32, 0x0300..=0x036F | 0x0483..=0x0489 | 0x1AB0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
                {
                    run.count = 0;
                }
                if run.count > LONGEST_RUN {
                    return Some("hidden_run");
                }
            }
        }
        None
    }

    fn seen(&mut self, c: char) -> Option<&'static str> {
        let letter = is_plain_letter(c);
        let fault = self.run.take().and_then(|run| {
            if run.tags > 0 && !run.closed {
                Some("tag_characters")
            } else {
                (run.splits && letter && self.before == Before::Letter).then_some("hidden_in_word")
            }
        });
        self.before = match c {
            _ if letter => Before::Letter,
            '\u{1F3F4}' => Before::Flag,
            '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' => {
                Before::Ideograph
            }
            _ => Before::Other,
        };
        fault
    }

    fn step(&mut self, c: char) -> Option<Finding> {
        let run = self.run;
        let fault = if is_unseen(c) {
            self.unseen(c)
        } else {
            self.seen(c)
        };
        let found = fault.map(|rule| {
            self.found = true;
            let run = self.run.or(run);
            let start = run.map_or(self.at, |run| run.start);
            let end = run.map_or(self.at, |run| run.end);
            Finding::new(Risk::PromptInjection, rule, start..end)
        });
        self.at += c.len_utf8();
        found
    }
}

impl Watcher for Scan {
    fn push(&mut self, piece: &str) -> Progress {
        let mut rest = piece;
        while !rest.is_empty() && !self.found {
            // Plain text is by far the commonest, and only its ends matter.
            let plain = rest.bytes().take_while(u8::is_ascii).count();
            if self.run.is_none() && plain > 0 {
                let (head, tail) = rest.split_at(plain);
                self.before = if head.ends_with(|c: char| c.is_ascii_alphanumeric()) {
                    Before::Letter
                } else {
                    Before::Other
                };
                self.at += plain;
                rest = tail;
                continue;
            }
            let Some(c) = rest.chars().next() else { break };
            if let Some(finding) = self.step(c) {
                return Progress::Found(finding);
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        Progress::Clear(self.run.map_or(self.at, |run| run.start))
    }

    fn finish(&mut self) -> Option<Finding> {
        let run = self.run.take()?;
        let open = run.tags > 0 && !run.closed && !self.found;
        open.then(|| Finding::new(Risk::PromptInjection, "tag_characters", run.start..run.end))
    }
}

fn is_plain_letter(c: char) -> bool {
    match c as u32 {
        0..=0x7F => c.is_ascii_alphanumeric(),
        0xC0..=0x52F | 0x1E00..=0x1FFF => c.is_alphanumeric(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(text: &str) -> Option<String> {
        Invisible::new()
            .find(&Sample::new(text))
            .map(|finding| finding.rule().to_owned())
    }

    #[test]
    fn hidden_text_is_found() {
        let tags: String = "hi"
            .chars()
            .filter_map(|c| char::from_u32(u32::from(c) + 0xE0000))
            .collect();
        let selectors: String = "hi"
            .bytes()
            .filter_map(|b| char::from_u32(0xE0100 + u32::from(b) - 16))
            .collect();
        for (text, expected) in [
            (format!("a{tags}"), "tag_characters"),
            (format!("🏴{tags}"), "tag_characters"),
            (
                "🏴\u{e0067}\u{e0062}\u{e0065}x".to_owned(),
                "tag_characters",
            ),
            ("\u{e0001}".to_owned(), "tag_characters"),
            (format!("😀{selectors}"), "variation_selectors"),
            ("😀\u{fe00}\u{fe01}".to_owned(), "variation_selectors"),
            ("a\u{fe00}".to_owned(), "variation_selectors"),
            ("a\u{202e}b".to_owned(), "bidi_override"),
            ("pass\u{200d}word".to_owned(), "hidden_in_word"),
            ("п\u{200b}ароль".to_owned(), "hidden_in_word"),
            ("in\u{2066}ner".to_owned(), "hidden_in_word"),
            (
                "a \u{200b}\u{200c}\u{200b}\u{200c} b".to_owned(),
                "hidden_run",
            ),
        ] {
            assert_eq!(rule(&text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn honest_invisible_characters_pass() {
        for text in [
            "",
            "\u{feff}a byte order mark",
            "👨‍👩‍👧‍👦 👩🏽‍💻 🏳️‍🌈 ❤️‍🔥 1️⃣ ©️ ✌🏽",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} and 🏴‍☠️",
            "क्\u{200d}ष श्\u{200c}र നന്\u{200d}മ ක්\u{200d}ය",
            "می\u{200c}خواهم نمی\u{200c}دانم",
            "ภาษา\u{200b}ไทย",
            "葛\u{e0100}飾区",
            "co\u{ad}op\u{ad}er\u{ad}ate",
            "a \u{200b}b\u{200b} c/\u{200b}d",
            "call \u{202a}+91 98765 43210\u{202c} now",
            "שלום\u{200f}, \u{2068}Ann\u{2069}!",
            "cafe\u{301} Zalgo\u{300}\u{301}\u{302}\u{303}\u{304}x",
            "left behind \u{fe0f} here",
        ] {
            assert_eq!(rule(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(
            text in "([ab \u{200b}\u{200d}\u{fe0f}\u{e0061}\u{e0067}\u{e007f}\u{202e}🏴😀क葛\u{e0100}é]){0,14}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let whole = Invisible::new().find(&Sample::new(&text));
            let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| bounds[cut.index(bounds.len())]).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let mut watcher = Invisible::new().watch();
            let mut cleared = 0;
            let mut streamed = None;
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
