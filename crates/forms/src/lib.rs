//! The written forms of secrets: keys, tokens, private keys, connection strings.
//!
//! A key can be told by how it is written: `ghp_` and 36 letters, of which six are a checksum. Here are more than two hundred such
//! forms, of clouds, model providers, code hosts, chat, mail and payment services, and a reader that finds them in any
//! text, whole or in pieces. `docs/secrets.md` of the repository lists them all.
//!
//! ```
//! use bartizan_forms::Forms;
//!
//! let text = format!("use ghp_{} for the clone", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17");
//! let found = Forms::shipped().first(text.as_bytes()).expect("a token");
//! assert_eq!((found.id, found.vendor, found.validated), ("github_token", "GitHub", Some("crc32_base62")));
//! assert_eq!(&text[found.secret.clone()], &text[4..44]);
//! assert!(Forms::shipped().first(b"aws_access_key_id = AKIAIOSFODNN7EXAMPLE").is_none());
//! ```
//!
//! # Windows and streams
//!
//! [`Forms::next_start`] passes over what can be no secret, at memory speed; [`Forms::at`] reads one place forward, through a
//! closure, so that a stream knows when more text might change the answer. [`Scan`] does both for a text that arrives in pieces:
//! it stops at the first secret, and says how much may leave before.
//!
//! # What passes
//!
//! Documentation is full of keys that are none. A match passes when it says so (`EXAMPLE`, `your`, `xxxx`, `redacted`,
//! `test_key` and the like), counts up (`12345678`, `abcdefgh`), repeats few characters, or is all small letters; a connection
//! string passes when its password is such a word or a variable (`${DB_PASSWORD}`); what stands after a name such as `password`
//! must not read like a word, a call or a path of names. Public halves (publishable keys, account ids, certificates), hashes and
//! UUIDs have no form. A secret that is spelled out, encoded or split by other text is not found, and neither is more of it than
//! [`Forms::longest`] bytes.
//!
//! # Cost
//!
//! A run of a form takes what it can and never goes back, and a form can hardly begin within itself; so no text costs more
//! than some ten comparisons a byte, wherever its candidates begin and end.

mod begin;
mod check;
mod class;
#[cfg(test)]
mod cost;
mod heads;
mod judge;
mod rows;
mod run;
mod scan;
mod shape;
mod threes;
mod tree;
mod words;

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use self::begin::Begin;
use self::rows::{Row, Way};
use self::run::{Hit, Run};
use self::tree::{NameWalk, Tree};

pub use rows::Form;
pub use scan::{Progress, Scan};

/// A set of forms, ready to look for.
pub struct Forms {
    rows: Vec<Row>,
    ways: Vec<Way>,
    begin: Begin,
    /// The names that tell more than a general one, such as `password`.
    surer: Tree,
    longest: usize,
}

/// The most that a general name tells.
const GENERAL: f32 = 0.55;

/// A secret, and what tells that it is one. Holds no content.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The secret itself, in bytes of the text: of a connection string the password, of `token = "…"` what is quoted.
    pub secret: Range<usize>,
    /// The end of the whole match, which begins where it was looked for: after the secret or at its end.
    pub end: usize,
    /// A stable word for the form: `github_token`.
    pub id: &'static str,
    /// Whose it is; `any` where the form doesn't tell.
    pub vendor: &'static str,
    /// How sure the form makes it, from 0 to 1: 1 when a check proves it, .9 and below for a prefix of its own, .75 after a
    /// name that tells the vendor, .55 after a general one such as `password`.
    pub score: f32,
    /// The check that proves it, such as `crc32_base62`.
    pub validated: Option<&'static str>,
}

static SHIPPED: LazyLock<Forms> = LazyLock::new(|| shipped(0.0));
static KEYS: LazyLock<Forms> = LazyLock::new(|| shipped(0.6));

fn shipped(least: f32) -> Forms {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program, and a test reads it"
    )]
    Forms::read(include_str!("../data/forms.txt"), least)
        .expect("the shipped forms are well written")
}

impl Forms {
    /// All forms of this crate. Built when first asked for; [`LazyLock`] keeps them.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// The forms that can be told by themselves or by a vendor's name: without `password = …` and the like.
    #[must_use]
    pub fn keys() -> &'static Self {
        &KEYS
    }

    /// The most ways that begin after one literal, and after one name.
    #[cfg(test)]
    fn most_ways(&self) -> usize {
        self.begin
            .exact
            .most_ways()
            .max(self.begin.names.most_ways())
    }

    /// Reads forms with at least this score.
    fn read(text: &'static str, least: f32) -> Result<Self, String> {
        let (rows, ways) = rows::read(text, least)?;
        let shapes: Vec<shape::Way> = ways.iter().map(|way| way.way.clone()).collect();
        let longest = run::longest(&ways);
        let mut surer = Tree::new();
        for (way, index) in ways.iter().zip(0..) {
            let says = |row: &Row| row.score > GENERAL || row.proves.is_some();
            if let shape::First::Name(name) = &way.way.first
                && rows.get(way.row).is_some_and(says)
            {
                surer.add_name(name, index);
            }
        }
        Ok(Self {
            begin: Begin::new(&shapes),
            surer,
            rows,
            ways,
            longest,
        })
    }

    /// What is looked for, in the order of the table.
    pub fn list(&self) -> impl Iterator<Item = &Form> {
        self.rows.iter().map(|row| &row.form)
    }

    /// The most bytes that a match can have: some 16 KiB for the lines of a private key, 10 KiB for a JSON web token, and
    /// 2.2 KiB at most for all other forms.
    #[must_use]
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// The first place at or after `from` where a form may begin, also where it could only with what follows `bytes`.
    ///
    /// Looks at the two bytes before as well: a token doesn't begin inside another. Prose costs well under
    /// a microsecond a kilobyte.
    #[must_use]
    pub fn next_start(&self, bytes: &[u8], from: usize) -> Option<usize> {
        self.begin.next(bytes, from)
    }

    /// The secret whose form begins at `start`, a place that [`next_start`](Self::next_start) gave.
    ///
    /// `read` gives the byte at an index, `None` at the end of the text. It is asked for the two bytes before `start` if there
    /// are so many, and for bytes from `start` on, no further than the answer depends on and never more than
    /// [`longest`](Self::longest).
    pub fn at(&self, start: usize, mut read: impl FnMut(usize) -> Option<u8>) -> Option<Found> {
        let before = [start.checked_sub(2), start.checked_sub(1)];
        let before = before.map(|index| index.and_then(&mut read));
        let run = match before {
            [Some(earlier), Some(last)] => Run::new(&[earlier, last], false),
            [Some(byte), None] | [None, Some(byte)] => Run::new(&[byte], false),
            [None, None] => Run::new(&[], false),
        };
        let found = self.follow(run, start, &mut read)?;
        if found.score >= 0.6 || found.secret.start == start {
            return Some(found);
        }
        // A name says less than the form of its value.
        let own = found.secret.start;
        if !self.may_begin_surer(own, &mut read) {
            return Some(found);
        }
        let value = self.follow(Run::new(&[], false), found.secret.start, &mut read);
        let value = value.filter(|value| value.score > found.score);
        Some(value.unwrap_or(found))
    }

    /// Whether a form that tells more than a general name may begin at `start`.
    fn may_begin_surer(&self, start: usize, read: &mut impl FnMut(usize) -> Option<u8>) -> bool {
        let (mut exact, mut name) = (Some(0), Some(NameWalk::default()));
        let mut at = start;
        while exact.is_some() || name.is_some() {
            #[cfg(test)]
            cost::add(1);
            let Some(byte) = read(at) else {
                return true;
            };
            at += 1;
            exact = exact.and_then(|node| self.begin.exact.next(node, byte));
            let walked = name.and_then(|walk| walk.step(&self.surer, byte));
            let named = walked.is_some_and(|(_, ends)| ends.is_some());
            if named || exact.is_some_and(|node| !self.begin.exact.ways(node).is_empty()) {
                return true;
            }
            name = walked.map(|(walk, _)| walk);
        }
        self.begin.runs.iter().any(|(_, classes)| {
            let mut places = classes.iter().zip(start..);
            places.all(|(class, at)| read(at).is_none_or(|byte| class.has(byte)))
        })
    }

    /// The first secret of a whole text.
    #[must_use]
    pub fn first(&self, text: &[u8]) -> Option<Found> {
        let mut from = 0;
        while let Some(start) = self.next_start(text, from) {
            let read = |index: usize| text.get(index).copied();
            if let Some(found) = self.at(start, read) {
                return Some(found);
            }
            from = start + 1;
        }
        None
    }

    /// Follows a text that arrives in pieces.
    #[must_use]
    pub fn scan(&self) -> Scan<'_> {
        Scan::new(self)
    }

    fn follow(
        &self,
        mut run: Run,
        start: usize,
        read: &mut impl FnMut(usize) -> Option<u8>,
    ) -> Option<Found> {
        let mut best = None;
        let mut hits = [Hit::default(); 4];
        // What was read of it, as far as a match needs it.
        let mut whole = Vec::new();
        while run.is_open() {
            let at = start + run.len();
            run.glide(self, |further| read(at + further));
            let byte = read(start + run.len());
            let mut count = 0;
            run.step(self, byte, |hit| {
                if let Some(place) = hits.get_mut(count) {
                    *place = hit;
                    count += 1;
                }
            });
            for hit in hits.get(..count).unwrap_or_default() {
                whole.reserve(hit.until.saturating_sub(whole.len()));
                whole.extend((start + whole.len()..start + hit.until).map_while(&mut *read));
                let whole = whole.get(..hit.until).unwrap_or(&whole);
                best = better(best, self.judge(hit, whole, start));
            }
        }
        best
    }

    /// What a match is, if it is no placeholder. `whole` is all of it, and begins at `start`.
    fn judge(&self, hit: &Hit, whole: &[u8], start: usize) -> Option<Found> {
        #[cfg(test)]
        cost::add(whole.len());
        let way = self.ways.get(usize::from(hit.way))?;
        let row = self.rows.get(way.row)?;
        let all = whole.get(hit.begin..hit.end)?;
        let cut = row.kind.trimmed(all);
        let secret = all.get(..cut)?;
        let until = if hit.end == hit.until {
            hit.begin + cut
        } else {
            hit.until
        };
        let own = if hit.begin == 0 { way.own } else { 0 };
        let after = whole.get(hit.end..hit.until).unwrap_or_default();
        let names_other = matches!(way.way.first, shape::First::Name(_))
            && row.kind != judge::Kind::Login
            && judge::names_no_secret(whole.get(..hit.begin).unwrap_or_default());
        if names_other
            || row.kind.is_placeholder(secret, own, after)
            || !row.needs.iter().all(|check| check.passes(secret))
        {
            return None;
        }
        let validated = row.proves.filter(|check| check.passes(secret));
        let score = match (row.proves, validated) {
            (_, Some(_)) => 1.0,
            (Some(_), None) => row.score - 0.3,
            (None, None) => row.score,
        };
        Some(Found {
            secret: start + hit.begin..start + hit.begin + cut,
            end: start + until,
            id: row.form.id,
            vendor: row.form.vendor,
            score,
            validated: validated.map(check::Check::name),
        })
    }
}

/// Of two that begin at one place, the one that is proved, then the longer, then the surer.
fn better(best: Option<Found>, found: Option<Found>) -> Option<Found> {
    match (best, found) {
        (Some(best), Some(found)) => {
            let rank = |of: &Found| (of.validated.is_some(), of.end, of.score);
            let better = rank(&found) > rank(&best);
            Some(if better { found } else { best })
        }
        (best, found) => found.or(best),
    }
}

impl fmt::Debug for Forms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forms")
            .field("forms", &self.rows.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
