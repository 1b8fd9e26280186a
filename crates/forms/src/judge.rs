//! Whether what has the form of a secret is only written like one.
//!
//! Documentation is full of keys that are none, and code of names that stand for one.

use std::sync::LazyLock;

use crate::words::Words;

/// What a form's secret is judged as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters and digits by chance.
    Key,
    /// A password that a person chose, in a connection string.
    Login,
    /// The lines of a private key.
    Block,
    /// Whatever stands after a name such as `password`: a secret or a word, and in code an expression.
    Value,
}

impl Kind {
    pub(crate) fn read(name: &str) -> Option<Self> {
        Some(match name {
            "key" => Self::Key,
            "login" => Self::Login,
            "block" => Self::Block,
            "value" => Self::Value,
            _ => return None,
        })
    }

    /// How much of what a form took is the secret: a sentence's full stop is not, nor the blanks after a key's lines.
    pub(crate) fn trimmed(self, taken: &[u8]) -> usize {
        let part_of = |byte: &u8| match self {
            Self::Key | Self::Login => true,
            Self::Block => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-')
            }
            Self::Value => *byte != b'.',
        };
        taken.iter().rposition(part_of).map_or(0, |last| last + 1)
    }

    /// Whether the secret, of which the first bytes are the form's own, is none. `after` is what follows it in the form.
    pub(crate) fn is_placeholder(self, secret: &[u8], own: usize, after: &[u8]) -> bool {
        let cased = secret.iter().skip(own).any(u8::is_ascii_uppercase);
        let secret = &*String::from_utf8_lossy(secret).to_ascii_lowercase();
        match self {
            Self::Key => is_placeholder(secret, own, cased),
            Self::Login => {
                let after = String::from_utf8_lossy(after).to_ascii_lowercase();
                is_sample_password(secret) || is_sample_host(after.trim_start_matches('@'))
            }
            Self::Block => {
                let body = secret.split("-----").nth(2).unwrap_or(secret);
                distinct(body) < 16 || body.contains("your") || body.contains("xxxx")
            }
            Self::Value => is_sample_password(secret) || is_code(secret) || distinct(secret) < 4,
        }
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

/// What a password without a digit is a sample by, wherever it stands in it.
const SAMPLES: [&str; 3] = ["password", "secret", "passwd"];

static HELD: LazyLock<Words> = LazyLock::new(|| Words::new(PLACEHOLDERS.iter().chain(&SAMPLES)));

fn has_placeholder(secret: &str) -> bool {
    HELD.any(secret, |word| !SAMPLES.contains(&word))
}

fn is_placeholder(secret: &str, own: usize, cased: bool) -> bool {
    if has_placeholder(secret) {
        return true;
    }
    // The prefix says nothing of chance; the rest must look like it.
    let random = secret.get(own.min(secret.len())..).unwrap_or_default();
    // Words joined by hyphens are no key, and neither is a number.
    let words = !random.bytes().any(|byte| byte.is_ascii_digit()) && !cased;
    let number = !random.bytes().any(|byte| byte.is_ascii_alphabetic());
    let least = 8.min(random.len() / 2);
    words || number || (distinct(random) as usize) < least
}

fn is_sample_password(password: &str) -> bool {
    let open = |c: char| matches!(c, '{' | '$' | '<' | '[' | '%' | '(');
    SAMPLE_PASSWORDS.contains(&password)
        || password.starts_with(open)
        || HELD.any(password, |word| {
            !SAMPLES.contains(&word) || !password.bytes().any(|byte| byte.is_ascii_digit())
        })
        || distinct(password) < 3
}

fn is_sample_host(host: &str) -> bool {
    let host = host.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    [
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
    .contains(&host)
}

/// Whether a value is an expression or a word, as far as one can tell: a call, a path of names, a type.
fn is_code(value: &str) -> bool {
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let marks = value.len() - letters - digits;
    let word = digits == 0 && marks <= 1 && !has_consonants(value);
    // A number, and what isn't written in letters at all.
    let plain = letters == 0 || value.is_ascii() && letters + digits < 4;
    let path = ["/", "./", "../", "~/", "--", "&"];
    let call = value.contains(['(', '[', '{']) || path.iter().any(|path| value.starts_with(path));
    word || plain || call || is_reference(value) || is_path(value)
}

/// Whether a value only says where the secret lies: `os.environ/OPENAI_API_KEY`, `vault:kv/openai#key2`.
fn is_reference(value: &str) -> bool {
    [
        "os.environ/",
        "env:",
        "env/",
        "vault:",
        "file:",
        "secretref:",
        "arn:",
    ]
    .iter()
    .any(|place| value.starts_with(place))
}

/// Whether five consonants stand in a row, as in hardly a word.
fn has_consonants(value: &str) -> bool {
    let mut row = 0;
    value.bytes().any(|byte| {
        let vowel = matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
        row = if byte.is_ascii_lowercase() && !vowel {
            row + 1
        } else {
            0
        };
        row == 5
    })
}

/// Names with dots, underscores or hyphens between: `settings.db_password2`, `my-token-1`.
fn is_path(value: &str) -> bool {
    let mut parts = value
        .split(['.', '_', '-', '>', ':'])
        .filter(|part| !part.is_empty());
    let several = value.contains(['.', '_', '-']);
    several
        && parts.all(|part| {
            let digits = part.bytes().filter(u8::is_ascii_digit).count();
            let end = part.trim_end_matches(|c: char| c.is_ascii_digit());
            // Digits stand at the end of a name, if at all.
            part.len() <= 24 && digits <= 4 && !end.bytes().any(|byte| !byte.is_ascii_alphabetic())
        })
}

/// Whether a name before a value tells that it is something else: `heroku_app_id`, `datadog_trace_hash`.
pub(crate) fn names_no_secret(name: &[u8]) -> bool {
    let end = name.iter().rposition(u8::is_ascii_alphanumeric);
    let ascii = name.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
    // A letter of another script may stand behind it.
    let rest = name.get(ascii.len()..).unwrap_or_default();
    let goes_on = !rest.is_ascii() && String::from_utf8_lossy(rest).contains(char::is_alphanumeric);
    let last = ascii.last().map(u8::to_ascii_lowercase);
    let ends = |word: &&[u8]| {
        // Most end otherwise.
        if !last.is_some_and(|last| word.ends_with(&[last])) {
            return false;
        }
        let tail = ascii.len().checked_sub(word.len());
        let tail = tail.and_then(|from| ascii.get(from..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word))
    };
    const NAMES: [&[u8]; 10] = [
        b"id",
        b"ids",
        b"hash",
        b"sha",
        b"digest",
        b"commit",
        b"version",
        b"checksum",
        b"public",
        b"fingerprint",
    ];
    !goes_on && NAMES.iter().any(ends)
}

fn distinct(text: &str) -> u32 {
    let mut seen = 0_u128;
    text.bytes().for_each(|byte| seen |= 1 << (byte & 0x7F));
    seen.count_ones()
}
