//! Secrets on their way out, or in.

mod scan;

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use regex_automata::dfa::dense::{self, DFA};
use regex_automata::dfa::{Automaton, StartKind};
use regex_automata::{MatchKind, util::syntax};

use self::scan::Scan;
use crate::{Check, Finding, Progress, Sample, StreamCheck, Watcher};

/// Finds secrets by their form: keys of clouds, model providers, code hosts, chat, mail and payment services, private key
/// blocks, JSON web tokens, and connection strings with passwords.
///
/// It reads byte by byte and remembers where each candidate began, so it follows an answer that arrives in pieces and
/// never lets the head of a secret leave before the rest is seen. Only characters that may begin one are held back.
///
/// ```
/// use bartizan_guard::{Check, Risk, Sample, Secrets};
///
/// let check = Secrets::new();
/// let text = format!("use ghp_{} for the clone", "16C7e42F292c6912E7710c838347Ae178B4a");
/// let finding = check.find(&Sample::new(&text)).expect("a token");
/// assert_eq!((finding.rule(), finding.risk()), ("github_token", Risk::SensitiveInformation));
/// assert!(check.find(&Sample::new("aws_access_key_id = AKIAIOSFODNN7EXAMPLE")).is_none());
/// ```
///
/// # What passes
///
/// Documentation is full of keys that are none. A match passes when it says so (`EXAMPLE`, `your`, `xxxx`, `redacted`,
/// `test_key` and the like), counts up (`12345678`, `abcdefgh`), repeats few characters, or is all small letters; a connection string passes when its password is such a word or a variable (`${DB_PASSWORD}`), and a
/// JSON web token when it is the published sample. Public halves (publishable keys, account ids, certificates), hashes and
/// UUIDs have no rule. A secret that is spelled out, encoded or split by other text is not found, and neither is one of
/// over 8 KiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Secrets(());

impl Secrets {
    /// Creates the check.
    #[must_use]
    pub fn new() -> Self {
        // Here, where a service starts, and not in its first request.
        LazyLock::force(&FORMS);
        Self(())
    }
}

impl Check for Secrets {
    fn name(&self) -> &'static str {
        "secrets"
    }

    fn find(&self, sample: &Sample<'_>) -> Option<Finding> {
        let mut scan = Scan::new(&FORMS);
        match scan.push(sample.text()) {
            Progress::Found(finding) => Some(finding),
            Progress::Clear(_) => scan.finish(),
        }
    }
}

impl StreamCheck for Secrets {
    fn watch(&self) -> Box<dyn Watcher> {
        Box::new(Scan::new(&FORMS))
    }
}

/// The forms, compiled when they are first used.
static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program, and a test reads it"
    )]
    Forms::parse(include_str!("../data/secrets.txt")).expect("the shipped forms are well formed")
});

/// All forms as one automaton that begins at a secret's first byte.
struct Forms {
    dfa: DFA<Vec<u32>>,
    ids: Vec<(Cow<'static, str>, Tail)>,
    /// The pairs of bytes that a form may begin with, a bit each.
    pairs: Vec<u64>,
    /// The first bytes of those.
    firsts: [bool; 256],
}

/// In bytes. A form whose parts can't be told apart byte by byte would grow past it at once.
const LARGEST: usize = 4 << 20;

/// What may follow a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    Anything,
    NoTokenCharacter,
}

impl Forms {
    fn parse(text: &'static str) -> Result<Self, Box<dense::BuildError>> {
        let mut ids = Vec::new();
        let mut patterns = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((head, pattern)) = line.split_once(" = ") else {
                continue;
            };
            let (kind, id) = head.split_once(' ').unwrap_or(("token", head));
            ids.push((
                Cow::Borrowed(id),
                if kind == "block" {
                    Tail::Anything
                } else {
                    Tail::NoTokenCharacter
                },
            ));
            patterns.push(pattern);
        }
        let dfa = DFA::builder()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
            .configure(
                DFA::config()
                    .start_kind(StartKind::Anchored)
                    .match_kind(MatchKind::All)
                    .dfa_size_limit(Some(LARGEST))
                    .determinize_size_limit(Some(4 * LARGEST)),
            )
            .build_many(&patterns)?;
        let mut pairs = vec![0; 1 << 10];
        let mut firsts = [false; 256];
        for (pair, bit) in (0..=u16::MAX).zip((0..64).cycle()) {
            let [first, second] = pair.to_be_bytes();
            let state = dfa.next_state(scan::begin(&dfa), first);
            if !dfa.is_dead_state(dfa.next_state(state, second))
                && let (Some(word), Some(first)) = (
                    pairs.get_mut(usize::from(pair) / 64),
                    firsts.get_mut(usize::from(first)),
                )
            {
                *word |= 1_u64 << bit;
                *first = true;
            }
        }
        Ok(Self {
            dfa,
            ids,
            pairs,
            firsts,
        })
    }

    /// Whether a form may begin with `first`, and then `second` if that is known.
    #[inline]
    fn begins(&self, first: u8, second: Option<u8>) -> bool {
        self.firsts.get(usize::from(first)) == Some(&true)
            && second.is_none_or(|second| {
                let pair = usize::from(u16::from_be_bytes([first, second]));
                self.pairs
                    .get(pair / 64)
                    .is_some_and(|word| word >> (pair % 64) & 1 == 1)
            })
    }
}

impl fmt::Debug for Forms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forms")
            .field("forms", &self.ids.len())
            .finish_non_exhaustive()
    }
}

/// Words that no generated secret holds but by a chance in millions, and that documentation writes all the time.
const PLACEHOLDERS: [&str; 31] = [
    "example",
    "xxxx",
    "your",
    "placeholder",
    "dummy",
    "sample",
    "redacted",
    "changeme",
    "change_me",
    "insert",
    "replace",
    "abcdefgh",
    "12345678",
    "23456789",
    "01234567",
    "deadbeef",
    "test_key",
    "fake",
    "notreal",
    "not-real",
    "not_a_real",
    "secret_key",
    "key_here",
    "goes_here",
    "goes-here",
    "here_",
    "....",
    "****",
    "fffff",
    "00000",
    "eyjzdwiioiixmjm0nty3odkwi",
];

/// Passwords that stand in examples.
const SAMPLE_PASSWORDS: [&str; 22] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "mysecretpassword",
    "postgres",
    "root",
    "admin",
    "guest",
    "user",
    "username",
    "test",
    "hunter2",
    "changeme",
    "token",
    "apikey",
    "api_key",
    "key",
    "foo",
    "bar",
    "example",
];

/// Whether what matched `id` is only written like one.
fn is_placeholder(id: &str, secret: &[u8]) -> bool {
    let cased = secret.iter().skip(4).any(u8::is_ascii_uppercase);
    let secret = String::from_utf8_lossy(secret).to_ascii_lowercase();
    if id == "private_key" {
        let body = secret.rsplit("-----").next().unwrap_or_default();
        return distinct(body) < 16 || body.contains("your") || body.contains("xxxx");
    }
    if id == "connection_string" {
        return is_sample_login(&secret);
    }
    if PLACEHOLDERS.iter().any(|word| secret.contains(word)) {
        return true;
    }
    // The prefix says nothing of chance; the rest must look like it.
    let random = secret.get(4.min(secret.len())..).unwrap_or_default();
    // Words joined by hyphens are no key, and neither is a number.
    let words = !random.bytes().any(|byte| byte.is_ascii_digit()) && !cased;
    let number = !random.bytes().any(|byte| byte.is_ascii_alphabetic());
    words || number || distinct(random) < 8
}

fn is_sample_login(secret: &str) -> bool {
    let (password, host) = match secret.split_once("://") {
        Some((_, rest)) => {
            let (login, host) = rest.rsplit_once('@').unwrap_or((rest, ""));
            (
                login.split_once(':').map_or("", |(_, password)| password),
                host,
            )
        }
        None => (
            secret
                .rsplit('=')
                .next()
                .unwrap_or_default()
                .trim_end_matches([';', '"', '\'', ' ']),
            "",
        ),
    };
    let open = |c: char| matches!(c, '{' | '$' | '<' | '[' | '%' | '*' | '(');
    SAMPLE_PASSWORDS.contains(&password)
        || password.starts_with(open)
        || PLACEHOLDERS.iter().any(|word| password.contains(word))
        || ["password", "secret", "passwd"].iter().any(|word| {
            password.contains(word) && !password.bytes().any(|byte| byte.is_ascii_digit())
        })
        || distinct(password) < 3
        || [
            "example.com",
            "example.org",
            "example.net",
            "host",
            "hostname",
            "your-host",
            "server",
            "db-host",
            "dbhost",
        ]
        .iter()
        .any(|sample| host.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()) == *sample)
}

fn distinct(text: &str) -> u32 {
    let mut seen = 0_u128;
    text.bytes().for_each(|byte| seen |= 1 << (byte & 0x7F));
    seen.count_ones()
}

#[cfg(test)]
mod tests;
