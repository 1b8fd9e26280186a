//! Makes secrets from their forms, so that no file of the repository holds what looks like one.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

use crate::check::{self, Check};
use crate::class::Class;
use crate::shape::{First, Op};
use crate::{Forms, Way};

/// Chance that is the same each time.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    pub(super) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    pub(super) fn of(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| letters[self.below(letters.len())])
            .collect()
    }
}

pub(super) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(super) const HEX: &str = "0123456789abcdef";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// What a person or a generator puts into a password.
const PASSWORD: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#^*~";

/// A secret as it is written, and where in that the secret itself stands.
pub(super) struct Made {
    pub(super) text: String,
    pub(super) begin: usize,
    pub(super) end: usize,
}

/// Makes one of a row's forms.
pub(super) fn make(forms: &Forms, row: usize, seed: u64) -> Made {
    let ways: Vec<&Way> = forms.ways.iter().filter(|way| way.row == row).collect();
    let mut chance = Chance::new(seed * 1_000 + row as u64);
    let way = ways[chance.below(ways.len())];
    let (mut text, mut quote) = (first(way, &mut chance), "");
    let (mut begin, mut end) = (0, None);
    for (at, op) in way.way.ops.iter().enumerate() {
        if way.way.secret.0 == Some(at) {
            begin = text.len();
        }
        if way.way.secret.1 == Some(at) {
            end = Some(text.len());
        }
        match op {
            Op::Literal(literal) => text.push_str(std::str::from_utf8(literal).unwrap()),
            Op::Run(class, least, most) => {
                let run = run(
                    *class,
                    usize::from(*least),
                    usize::from(*most),
                    &mut chance,
                    &mut quote,
                );
                text.push_str(&run);
            }
            Op::Block(..) => {
                let mut escaped = text.ends_with("\\n");
                escaped |= chance.below(2) == 0;
                let newline = if escaped { "\\n" } else { "\n" };
                for _ in 0..6 + chance.below(20) {
                    text.push_str(newline);
                    text.push_str(&chance.of(BASE64, 64));
                }
                text.push_str(newline);
                text.push_str("-----");
            }
        }
    }
    let row = &forms.rows[row];
    let made = Made {
        begin,
        end: end.unwrap_or(text.len()),
        text,
    };
    row.needs
        .iter()
        .chain(&row.proves)
        .fold(made, |made, check| satisfy(made, *check, &mut chance))
}

fn first(way: &Way, chance: &mut Chance) -> String {
    match &way.way.first {
        First::Exactly(literal) => String::from_utf8(literal.clone()).unwrap(),
        First::Name(name) => {
            let name = std::str::from_utf8(name).unwrap();
            let name = name.replace(' ', chance.one(&["", "_", "-", "."]));
            if chance.below(2) == 0 {
                name.to_uppercase()
            } else {
                name
            }
        }
        First::Run => String::new(),
    }
}

fn run(
    class: Class,
    least: usize,
    most: usize,
    chance: &mut Chance,
    quote: &mut &'static str,
) -> String {
    let is = |name| Class::named(name) == Some(class);
    if is("sign") {
        return chance.one(&["=", ":", ":", "=>"]).to_owned();
    }
    if is("space") {
        return " ".repeat(least.max(chance.below(2).min(most)));
    }
    if is("name") {
        return chance
            .one(&["", "_api_key", "_token", "ApiKey", ".secret-key"])
            .to_owned();
    }
    if is("quote") {
        *quote = if least == 0 && chance.below(2) == 0 {
            ""
        } else {
            chance.one(&["\"", "'"])
        };
        return (*quote).to_owned();
    }
    if is("end") {
        return (*quote).to_owned();
    }
    if is("label") {
        return "PRIVATE KEY".to_owned();
    }
    if is("bracket") || is("inner") || is("plus") || (is("lownum") && least == 0) || most == 0 {
        return String::new();
    }
    if is("host") {
        return format!("{}.internal", chance.of("abcdefgh", 6));
    }
    let length = least + chance.below((most - least).min(12) + 1);
    if is("user") || is("login") {
        return chance.of("abcdefgh", length.clamp(1, 12));
    }
    if ["password", "field", "quoted", "bare"].into_iter().any(is) {
        // Long enough that a word by chance, without a digit, is out of the question.
        return chance.of(PASSWORD, length.max(12));
    }
    let alphabet: String = class.bytes().map(char::from).collect();
    chance.of(&alphabet, length)
}

/// Writes into a made secret what its check asks for.
fn satisfy(mut made: Made, check: Check, chance: &mut Chance) -> Made {
    let secret = made.text[made.begin..made.end].to_owned();
    if check.passes(secret.as_bytes()) {
        return made;
    }
    let with_end = |length: usize, from: usize, base| {
        let body = &secret[..secret.len() - length];
        let sum = check::checksum(&body.as_bytes()[from..], base, length);
        format!("{body}{}", String::from_utf8(sum).unwrap())
    };
    let secret = match check {
        Check::Crc32Base62 => with_end(6, secret.find('_').unwrap() + 1, 62),
        Check::Crc32Base62All => with_end(6, 0, 62),
        Check::Crc32Base36 => with_end(7, 0, 36),
        Check::Bech32 => {
            let body = &secret[..secret.len() - 6];
            let end = check::bech32_end(body.as_bytes());
            format!("{body}{}", String::from_utf8(end).unwrap())
        }
        Check::JwtHeader => {
            let header = format!("{{\"alg\":\"RS256\",\"kid\":\"{}\"}}", chance.of(ALNUM, 9));
            let rest = &secret[secret.find('.').unwrap()..];
            format!("{}{rest}", BASE64_URL_SAFE_NO_PAD.encode(header))
        }
        Check::JsonBase64 => {
            let json = format!("{{\"k\":\"{}\"}}", chance.of(ALNUM, 160));
            let at = secret
                .find("eyJ")
                .unwrap_or(secret.find('_').map_or(0, |at| at + 1));
            let end = secret.rfind('_').filter(|end| *end > at);
            let rest = end.map_or("", |end| &secret[end..]);
            format!(
                "{}{}{rest}",
                &secret[..at],
                BASE64_STANDARD_NO_PAD.encode(json)
            )
        }
        Check::NumberBase64 => {
            let rest = &secret[secret.find('.').unwrap()..];
            let length = 17 + chance.below(2);
            let id = format!("1{}", chance.of("0123456789", length));
            format!("{}{rest}", BASE64_STANDARD_NO_PAD.encode(id))
        }
        Check::LoginBase64 => {
            let login = format!("ann:{}", chance.of(PASSWORD, 14));
            BASE64_STANDARD.encode(login)
        }
        Check::BytesBase64(length) => {
            let bytes: Vec<u8> = (0..length).map(|_| chance.below(256) as u8).collect();
            let plain = BASE64_STANDARD.encode(bytes);
            match chance.below(2) {
                0 => plain,
                _ => plain
                    .replace('+', "%2B")
                    .replace('/', "%2f")
                    .replace('=', "%3D"),
            }
        }
        Check::Marker(marker) => {
            let middle = secret.len() / 2;
            format!(
                "{}{marker}{}",
                &secret[..middle],
                &secret[middle + marker.len()..]
            )
        }
        Check::Entropy(_) | Check::Mixed | Check::Cased => return made,
    };
    made.text.replace_range(made.begin..made.end, &secret);
    made.end = made.begin + secret.len();
    made
}
