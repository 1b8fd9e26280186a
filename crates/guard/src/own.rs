//! What the user wrote, and so may be told again.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use bartizan_core::{Document, TextRole};

use crate::Sample;
use crate::post::Post;

/// Findings of one request beyond these are nobody's: each costs a few bytes until the answer ends.
const MOST: usize = 1_024;

/// What checks found in what the user wrote, by a keyed hash: no copy of it is kept.
#[derive(Default)]
pub(crate) struct Own {
    digests: HashSet<u64>,
    hasher: RandomState,
}

impl Own {
    /// Looks for what `posts` would find in an answer, and may be there.
    pub(crate) fn of(document: &Document, posts: &[Post]) -> Self {
        let mut own = Self::default();
        for post in posts.iter().filter(|post| post.spares_own()) {
            for text in document
                .texts()
                .filter(|text| text.role() == TextRole::User)
            {
                own.add(text.as_str(), post);
            }
        }
        own
    }

    fn add(&mut self, mut text: &str, post: &Post) {
        while self.digests.len() < MOST
            && let Some(finding) = post.find(&Sample::new(text))
        {
            let span = finding.span();
            let Some(found) = text.get(span.clone()) else {
                return;
            };
            self.digests.insert(self.hasher.hash_one(found));
            text = match text.get(span.end.max(1)..) {
                Some(rest) => rest,
                None => return,
            };
        }
    }

    /// Whether the user wrote `found`, to be told it behind `before`.
    pub(crate) fn may_come_back(&self, found: &str, before: &Paragraph) -> bool {
        !before.has_address && self.digests.contains(&self.hasher.hash_one(found))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }
}

/// Where whatever an answer's reader sees of it fetches an address, that address may carry away what stands in it. No address goes on past a
/// blank line, so what stands behind one is only told to the reader.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paragraph {
    has_address: bool,
    /// The line so far is blank, and so was none before: a paragraph begins.
    blank: bool,
    last: u8,
    /// How much of `http` was just read.
    scheme: usize,
}

impl Paragraph {
    pub(crate) fn read(&mut self, text: &str) {
        const SCHEME: &[u8] = b"http";
        for byte in text.bytes() {
            match byte {
                b'\n' if self.blank => *self = Self::default(),
                b'\n' => self.blank = true,
                b' ' | b'\t' | b'\r' => {}
                _ => self.blank = false,
            }
            // Browsers take either slash, and an address without them behind its scheme.
            let slash = |byte: u8| matches!(byte, b'/' | b'\\');
            let small = byte.to_ascii_lowercase();
            self.scheme = match SCHEME.get(self.scheme) {
                Some(next) if *next == small => self.scheme + 1,
                _ => usize::from(small == b'h'),
            };
            self.has_address |= slash(byte) && slash(self.last) || self.scheme == SCHEME.len();
            self.last = byte;
        }
    }

    /// The paragraph that `text` ends in.
    pub(crate) fn of(text: &str) -> Self {
        let mut paragraph = Self::default();
        paragraph.read(text);
        paragraph
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_go_on_until_a_blank_line() {
        for (text, open) in [
            ("", false),
            ("your key is ", false),
            ("a / b \\ c h t t p ", false),
            ("ht htt hhttp", true),
            ("![](https://x.example/?k=", true),
            ("<img src=\"//x.example/?k= \n\t", true),
            ("[a](HTTP:x.example/", true),
            ("![](/\\x.example/", true),
            ("see https://x.example.\n", true),
            ("see https://x.example.\n \t\r\nyour key is ", false),
            ("see https://x.example.\n\n//", true),
        ] {
            assert_eq!(Paragraph::of(text).has_address, open, "{text:?}");
            for (cut, _) in text.char_indices() {
                let mut paragraph = Paragraph::of(&text[..cut]);
                paragraph.read(&text[cut..]);
                assert_eq!(paragraph.has_address, open, "{text:?} {cut}");
            }
        }
    }
}
