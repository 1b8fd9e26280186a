//! Alphabets by name.

use std::sync::LazyLock;

/// One of the alphabets below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(u8);

const DIGIT: &str = "0123456789";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A name, and the parts of the alphabet; `!` before the parts takes all that is printable and not among them. What is
/// not ASCII counts as printable.
const NAMED: &[(&str, &[&str])] = &[
    ("digit", &[DIGIT]),
    ("hex", &[DIGIT, "abcdef"]),
    ("HEX", &[DIGIT, "ABCDEF"]),
    ("slashed", &[DIGIT, "/"]),
    ("xdigit", &[DIGIT, "abcdefABCDEF"]),
    ("lower", &[LOWER]),
    ("upper", &[UPPER]),
    ("alpha", &[LOWER, UPPER]),
    ("alnum", &[LOWER, UPPER, DIGIT]),
    ("lownum", &[LOWER, DIGIT]),
    ("upnum", &[UPPER, DIGIT]),
    ("base32", &[UPPER, "234567"]),
    ("bech32", &["QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"]),
    ("word", &[LOWER, UPPER, DIGIT, "_"]),
    ("url", &[LOWER, UPPER, DIGIT, "_-"]),
    ("url=", &[LOWER, UPPER, DIGIT, "_=-"]),
    ("b64", &[LOWER, UPPER, DIGIT, "+/"]),
    ("bearer", &[LOWER, UPPER, DIGIT, "+/_.~-"]),
    ("pad", &["="]),
    ("plus", &["+"]),
    ("dash", &[LOWER, UPPER, DIGIT, "-"]),
    ("webhook", &[LOWER, UPPER, DIGIT, "@-"]),
    ("paytm", &[LOWER, UPPER, DIGIT, "@#%&*!^_-"]),
    ("sas", &[LOWER, UPPER, DIGIT, "+/%"]),
    ("dotted", &[LOWER, UPPER, DIGIT, "_.-"]),
    ("tilde", &[LOWER, UPPER, DIGIT, "_.~-"]),
    // The rest of a name after the word that tells whose it is.
    ("name", &[LOWER, UPPER, DIGIT, "_. -"]),
    ("space", &[" \t"]),
    ("sign", &[":=>"]),
    ("inner", &[":="]),
    ("quote", &["\"'`\\"]),
    ("bracket", &["\"'`\\])"]),
    ("end", &["\"'`"]),
    ("label", &[UPPER, DIGIT, " "]),
    // Between the lines of a private key, which may be escaped or quoted.
    ("block", &[LOWER, UPPER, DIGIT, "+/= \t\r\n\\,:.()\"'-"]),
    ("user", &["!", " :@/\"'<>`"]),
    ("password", &["!", " @/\"'<>`"]),
    ("login", &["!", " ;=\"'<>"]),
    ("field", &["!", " ;\"'<>"]),
    ("host1", &[LOWER, UPPER, DIGIT, "["]),
    ("host", &[LOWER, UPPER, DIGIT, "._-"]),
    ("bare", &["!", " \"'`,;&=:<>\\)]}|"]),
    ("quoted", &["!", "\"'`\\<> "]),
    // Of a user's id in base64: digits are 0x30 to 0x39.
    ("MNO", &["MNO"]),
    ("TjzD", &["TjzD"]),
    ("digits3", &["AEIMQUYcgk"]),
    ("digits4", &["wxyz012345"]),
];

static TABLES: LazyLock<Vec<[bool; 256]>> = LazyLock::new(|| {
    let listed = NAMED.iter().map(|(_, parts)| {
        let mut table = [false; 256];
        let (listed, parts) = match parts.split_first() {
            Some((&"!", rest)) => (false, rest),
            _ => (true, *parts),
        };
        if !listed {
            table = std::array::from_fn(|byte| byte > 0x20 && byte != 0x7F);
        }
        for byte in parts.iter().flat_map(|part| part.bytes()) {
            if let Some(entry) = table.get_mut(usize::from(byte)) {
                *entry = listed;
            }
        }
        table
    });
    // Of each letter in both cases.
    let folded = (0..26).map(|letter| {
        std::array::from_fn(|byte| {
            u8::try_from(byte).is_ok_and(|byte| byte.to_ascii_lowercase() == b'a' + letter)
        })
    });
    listed.chain(folded).collect()
});

/// Each alphabet as a table of its bytes; `Class` is an index.
pub(crate) fn tables() -> &'static [[bool; 256]] {
    &TABLES
}

impl Class {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let at = NAMED.iter().position(|(known, _)| *known == name)?;
        u8::try_from(at).ok().map(Self)
    }

    /// A letter in both cases.
    pub(crate) fn folded(letter: u8) -> Option<Self> {
        let at = usize::from(letter.to_ascii_lowercase().checked_sub(b'a')?);
        (at < 26)
            .then(|| u8::try_from(NAMED.len() + at).ok().map(Self))
            .flatten()
    }

    pub(crate) fn table(self) -> &'static [bool; 256] {
        const NOTHING: [bool; 256] = [false; 256];
        tables().get(usize::from(self.0)).unwrap_or(&NOTHING)
    }

    pub(crate) fn has(self, byte: u8) -> bool {
        self.table().get(usize::from(byte)) == Some(&true)
    }

    /// Its bytes, in order.
    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> {
        let all = self.table().iter().zip(0..=u8::MAX);
        all.filter(|(has, _)| **has).map(|(_, byte)| byte)
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        let mut both = self.table().iter().zip(other.table());
        both.any(|(one, other)| *one && *other)
    }
}
