//! Unique strings to plant in secrets and prompts, and the search for them in everything that came out.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::Error;

/// A planted text at least this long is also searched for in pieces: a shortened secret is a leak too.
const PIECE: usize = 16;

/// The strings planted in one run.
///
/// A canary is found as it is, as base64 (either alphabet, at any offset in what was encoded), as hexadecimal, percent-encoded, and, for those
/// made by [`Canaries::key`] and [`Canaries::word`], by any 24 bytes of it.
///
/// ```
/// use bartizan_testkit::Canaries;
///
/// let mut canaries = Canaries::new();
/// let key = canaries.key("the provider's key")?;
/// let log = format!("upstream said no to {key}");
/// let found = canaries.in_bytes("the log", log.as_bytes())?;
/// assert_eq!(found[0].to_string(), "the provider's key, plain, in the log at byte 20");
/// assert!(canaries.in_bytes("the log", b"upstream said no")?.is_empty());
/// # Ok::<(), bartizan_testkit::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Canaries {
    planted: Vec<Canary>,
}

#[derive(Clone)]
struct Canary {
    label: String,
    text: String,
    pieces: bool,
}

impl Canaries {
    /// Creates an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes and remembers a secret: `sk-` and 40 random letters and digits.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn key(&mut self, label: &str) -> Result<String, Error> {
        let text = format!("sk-{}", random()?);
        self.remember(label, &text, true);
        Ok(text)
    }

    /// Makes and remembers a word for a prompt: 40 random letters and digits.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn word(&mut self, label: &str) -> Result<String, Error> {
        let text = random()?;
        self.remember(label, &text, true);
        Ok(text)
    }

    /// Remembers a text of the test's own, such as a card number. It is not searched for in pieces.
    pub fn plant(&mut self, label: &str, text: &str) {
        self.remember(label, text, false);
    }

    fn remember(&mut self, label: &str, text: &str, pieces: bool) {
        self.planted.push(Canary {
            label: label.to_owned(),
            text: text.to_owned(),
            pieces,
        });
    }

    /// Searches `bytes`; each canary is told of once in each form that it is found in, at its first place.
    ///
    /// # Errors
    /// When there are too many canaries to search for.
    pub fn in_bytes(&self, place: &str, bytes: &[u8]) -> Result<Vec<Sighting>, Error> {
        Ok(self.net()?.search(place, bytes))
    }

    /// Searches a file, or each file under a folder. Symbolic links are not followed.
    ///
    /// # Errors
    /// When something there can't be read: what was not searched must not pass as clean.
    pub fn in_path(&self, path: &Path) -> Result<Vec<Sighting>, Error> {
        let net = self.net()?;
        let mut sightings = Vec::new();
        let mut paths = vec![path.to_owned()];
        while let Some(path) = paths.pop() {
            let unread = |source: io::Error| Error::Unread {
                path: path.clone(),
                source,
            };
            let kind = fs::symlink_metadata(&path).map_err(unread)?.file_type();
            if kind.is_dir() {
                for entry in fs::read_dir(&path).map_err(unread)? {
                    paths.push(entry.map_err(unread)?.path());
                }
            } else if kind.is_file() {
                let name = path.display().to_string();
                sightings.extend(net.search(&name, name.as_bytes()));
                sightings.extend(net.search(&name, &fs::read(&path).map_err(unread)?));
            }
        }
        Ok(sightings)
    }

    fn net(&self) -> Result<Net, Error> {
        let mut patterns = Vec::new();
        let mut kinds = Vec::new();
        for canary in &self.planted {
            for (form, pattern) in forms(canary) {
                patterns.push(pattern);
                kinds.push((canary.label.clone(), form));
            }
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&patterns)
            .map_err(|error| Error::Canaries(error.to_string()))?;
        Ok(Net { search, kinds })
    }
}

impl fmt::Debug for Canaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.planted.iter().map(|canary| &canary.label);
        f.debug_list().entries(labels).finish()
    }
}

/// Where a canary was seen. Names it by its label, never by its text.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sighting {
    /// What was planted.
    pub canary: String,
    /// How it was written.
    pub form: Form,
    /// The file, or the name given to the bytes.
    pub place: String,
    /// The first byte of it there.
    pub offset: usize,
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}, in {} at byte {}",
            self.canary,
            self.form.as_str(),
            self.place,
            self.offset
        )
    }
}

/// How a canary was written where it was seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// As it is.
    Plain,
    /// In part.
    Piece,
    /// In base64, of either alphabet.
    Base64,
    /// In hexadecimal, of either case.
    Hex,
    /// Percent-encoded.
    Percent,
}

impl Form {
    /// `plain`, `a piece`, `base64`, `hex` or `percent-encoded`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Piece => "a piece",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Percent => "percent-encoded",
        }
    }
}

struct Net {
    search: AhoCorasick,
    kinds: Vec<(String, Form)>,
}

impl Net {
    fn search(&self, place: &str, bytes: &[u8]) -> Vec<Sighting> {
        let mut sightings: Vec<Sighting> = Vec::new();
        for found in self.search.find_overlapping_iter(bytes) {
            let Some((canary, form)) = self.kinds.get(found.pattern().as_usize()) else {
                continue;
            };
            if !sightings
                .iter()
                .any(|seen| seen.canary == *canary && seen.form == *form)
            {
                let (canary, place) = (canary.clone(), place.to_owned());
                sightings.push(Sighting {
                    canary,
                    form: *form,
                    place,
                    offset: found.start(),
                });
            }
        }
        let whole: Vec<String> = sightings
            .iter()
            .filter(|seen| seen.form == Form::Plain)
            .map(|seen| seen.canary.clone())
            .collect();
        sightings.retain(|seen| seen.form != Form::Piece || !whole.contains(&seen.canary));
        sightings
    }
}

fn forms(canary: &Canary) -> Vec<(Form, String)> {
    let text = &canary.text;
    let mut forms = vec![(Form::Plain, text.clone())];
    for shift in 0..3 {
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.push((
                Form::Base64,
                core_of(&alphabet.encode(shifted(text, shift)), text.len(), shift),
            ));
        }
    }
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.push((Form::Hex, hex.to_uppercase()));
    forms.push((Form::Hex, hex));
    let percent = percent(text);
    if percent != *text {
        forms.push((Form::Percent, percent));
    }
    if canary.pieces {
        // Windows of 16 at each 8th byte: any 24 bytes of the text hold one.
        let windows = text.as_bytes().windows(PIECE).step_by(PIECE / 2);
        forms.extend(
            windows.map(|window| (Form::Piece, String::from_utf8_lossy(window).into_owned())),
        );
    }
    forms.sort_by(|a, b| a.1.cmp(&b.1));
    forms.dedup_by(|a, b| a.1 == b.1);
    forms.retain(|(_, pattern)| !pattern.is_empty());
    forms
}

fn shifted(text: &str, shift: usize) -> Vec<u8> {
    std::iter::repeat_n(0, shift).chain(text.bytes()).collect()
}

/// The part of an encoding that no neighbour in the encoded bytes can change.
fn core_of(encoded: &str, length: usize, shift: usize) -> String {
    let start = (shift * 4).div_ceil(3);
    let end = (shift + length) * 4 / 3;
    encoded.get(start..end).unwrap_or_default().to_owned()
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn random() -> Result<String, Error> {
    let mut bytes = [0_u8; 40];
    getrandom::fill(&mut bytes).map_err(|error| Error::Canaries(error.to_string()))?;
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    Ok(bytes
        .iter()
        .filter_map(|byte| alphabet.get(usize::from(*byte) % alphabet.len()))
        .map(|b| char::from(*b))
        .collect())
}

/// Collects what is written to it, for a log or a span exporter to write to and a test to search. All clones share one buffer.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Creates an empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(canaries: &Canaries, bytes: &[u8]) -> Vec<Form> {
        canaries
            .in_bytes("here", bytes)
            .unwrap()
            .into_iter()
            .map(|sighting| sighting.form)
            .collect()
    }

    #[test]
    fn a_canary_is_unlike_any_other() {
        let mut canaries = Canaries::new();
        assert_ne!(canaries.key("a").unwrap(), canaries.key("b").unwrap());
    }

    #[test]
    fn files_and_their_names_are_searched_at_any_depth() {
        let folder = crate::private::Folder::make().unwrap();
        let mut canaries = Canaries::new();
        let word = canaries.word("word").unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/c"), format!("x{word}")).unwrap();
        fs::write(folder.path().join(&word), "clean").unwrap();
        let found = canaries.in_path(folder.path()).unwrap();
        assert_eq!(found.len(), 2);
        assert!(canaries.in_path(&folder.path().join("none")).is_err());
    }

    #[test]
    fn neither_debug_nor_a_sighting_shows_the_text() {
        let mut canaries = Canaries::new();
        let key = canaries.key("label").unwrap();
        let found = canaries.in_bytes("here", key.as_bytes()).unwrap();
        assert!(!format!("{canaries:?} {found:?} {}", found[0]).contains(&key[3..]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn each_form_is_found_wherever_it_stands(before in prop::collection::vec(any::<u8>(), 0..20), after in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut canaries = Canaries::new();
            let key = canaries.key("key").unwrap();
            let whole = [&before, key.as_bytes(), &after].concat();
            prop_assert!(seen(&canaries, &whole).contains(&Form::Plain));
            prop_assert!(seen(&canaries, STANDARD_NO_PAD.encode(&whole).as_bytes()).contains(&Form::Base64));
            prop_assert!(seen(&canaries, URL_SAFE_NO_PAD.encode(&whole).as_bytes()).contains(&Form::Base64));
            let hex: String = whole.iter().map(|byte| format!("{byte:02X}")).collect();
            prop_assert!(seen(&canaries, hex.as_bytes()).contains(&Form::Hex));
            prop_assert!(seen(&canaries, &before).is_empty());
        }

        #[test]
        fn any_24_bytes_of_a_canary_are_found(start in 0usize..19) {
            let mut canaries = Canaries::new();
            let key = canaries.key("key").unwrap();
            prop_assert!(seen(&canaries, &key.as_bytes()[start..start + 24]).contains(&Form::Piece));
        }
    }

    #[test]
    fn a_planted_text_is_found_percent_encoded() {
        let mut canaries = Canaries::new();
        canaries.plant("card", "4111 1111 1111 1111");
        assert_eq!(
            seen(&canaries, b"q=4111%201111%201111%201111"),
            [Form::Percent]
        );
    }
}
