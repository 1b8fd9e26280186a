//! Keys and tokens in the forms of those who give them, made up when they are needed: none stands in a file.

use crate::corpus::chance::Chance;

const HEX: &str = "0123456789abcdef";
const WORD: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const URL: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What a key is made of: how it begins, and parts of letters of an alphabet, each behind what parts it from the last.
struct Form {
    name: &'static str,
    begin: &'static str,
    parts: &'static [(&'static str, &'static str, usize)],
}

const fn form(
    name: &'static str,
    begin: &'static str,
    parts: &'static [(&'static str, &'static str, usize)],
) -> Form {
    Form { name, begin, parts }
}

const FORMS: &[Form] = &[
    form("airtable", "pat", &[("", WORD, 14), (".", HEX, 64)]),
    form(
        "anthropic",
        "sk-ant-api03-",
        &[("", URL, 93), ("AA", "", 0)],
    ),
    form("asana", "1/", &[("", "123456789", 16), (":", HEX, 32)]),
    form(
        "aws_id",
        "AKIA",
        &[("", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)],
    ),
    form(
        "aws_session_id",
        "ASIA",
        &[("", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)],
    ),
    form(
        "azure_storage",
        "AccountKey=",
        &[("", BASE64, 86), ("==", "", 0)],
    ),
    form(
        "braintree",
        "access_token$production$",
        &[
            ("", "0123456789abcdefghijklmnopqrstuvwxyz", 16),
            ("$", HEX, 32),
        ],
    ),
    form("databricks", "dapi", &[("", HEX, 32)]),
    form("digitalocean", "dop_v1_", &[("", HEX, 64)]),
    form("docker", "dckr_pat_", &[("", URL, 27)]),
    form("doppler", "dp.pt.", &[("", WORD, 43)]),
    form("figma", "figd_", &[("", URL, 40)]),
    form(
        "github_fine",
        "github_pat_",
        &[("", WORD, 22), ("_", WORD, 59)],
    ),
    form("gitlab", "glpat-", &[("", URL, 20)]),
    form("google", "AIza", &[("", URL, 35)]),
    form("google_oauth", "GOCSPX-", &[("", URL, 28)]),
    form("grafana", "glsa_", &[("", WORD, 32), ("_", HEX, 8)]),
    form("groq", "gsk_", &[("", WORD, 52)]),
    form(
        "huggingface",
        "hf_",
        &[(
            "",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            34,
        )],
    ),
    form("linear", "lin_api_", &[("", WORD, 40)]),
    form("mailchimp", "", &[("", HEX, 32), ("-us", "123456789", 1)]),
    form("mailgun", "key-", &[("", HEX, 32)]),
    form(
        "newrelic",
        "NRAK-",
        &[("", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 27)],
    ),
    form("notion", "ntn_", &[("", "123456789", 11), ("", WORD, 35)]),
    form(
        "openai",
        "sk-proj-",
        &[("", URL, 74), ("T3BlbkFJ", URL, 74)],
    ),
    form(
        "openai_old",
        "sk-",
        &[("", WORD, 20), ("T3BlbkFJ", WORD, 20)],
    ),
    form("perplexity", "pplx-", &[("", WORD, 48)]),
    form("pypi", "pypi-AgEIcHlwaS5vcmc", &[("", URL, 150)]),
    form("razorpay", "rzp_live_", &[("", WORD, 14)]),
    form("replicate", "r8_", &[("", WORD, 37)]),
    form("sendgrid", "SG.", &[("", URL, 22), (".", URL, 43)]),
    form("sentry", "sntryu_", &[("", HEX, 64)]),
    form("shopify", "shpat_", &[("", HEX, 32)]),
    form(
        "slack",
        "xoxb-",
        &[
            ("", "123456789", 12),
            ("-", "123456789", 12),
            ("-", WORD, 24),
        ],
    ),
    form("square", "sq0atp-", &[("", URL, 22)]),
    form("stripe", "sk_live_", &[("", WORD, 24)]),
    form("stripe_long", "sk_live_51", &[("", WORD, 97)]),
    form("stripe_restricted", "rk_live_", &[("", WORD, 24)]),
    form("stripe_webhook", "whsec_", &[("", WORD, 32)]),
    form("telegram", "", &[("", "123456789", 10), (":AA", URL, 33)]),
    form("twilio", "SK", &[("", HEX, 32)]),
    form("vault", "hvs.", &[("", URL, 90)]),
    form("xai", "xai-", &[("", WORD, 80)]),
];

/// Forms that are more than a beginning and letters.
const MADE: &[&str] = &[
    "aws_secret",
    "discord",
    "github",
    "jwt",
    "npm",
    "private_key",
    "slack_hook",
];

/// All kinds of them.
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    FORMS
        .iter()
        .map(|form| form.name)
        .chain(MADE.iter().copied())
}

/// One of a kind; of any kind with a form of its own where `kind` is empty.
pub(crate) fn write(kind: &str, chance: &mut Chance) -> Option<String> {
    if kind.is_empty() {
        let index = chance.below(FORMS.len());
        return Some(written(FORMS.get(index)?, chance));
    }
    if let Some(form) = FORMS.iter().find(|form| form.name == kind) {
        return Some(written(form, chance));
    }
    Some(match kind {
        "aws_secret" => chance.letters(BASE64, 40),
        // The bot's number, the time, a signature.
        "discord" => format!(
            "{}.{}.{}",
            base64(format!("1{}", chance.digits(17)).as_bytes()),
            chance.letters(URL, 6),
            chance.letters(URL, 38)
        ),
        "github" => {
            let begin = chance.pick(&["ghp_", "gho_", "ghs_", "ghu_", "ghr_"]);
            checked(begin, chance)
        }
        "npm" => checked("npm_", chance),
        "jwt" => {
            let head = base64(br#"{"alg":"HS256","typ":"JWT"}"#);
            let claims = format!(
                r#"{{"sub":"{}","iat":17{}}}"#,
                chance.digits(10),
                chance.digits(8)
            );
            format!(
                "{head}.{}.{}",
                base64(claims.as_bytes()),
                chance.letters(URL, 43)
            )
        }
        "private_key" => {
            let name = chance.pick(&["RSA ", "EC ", "", "OPENSSH "]);
            let lines: Vec<String> = (0..6).map(|_| chance.letters(BASE64, 64)).collect();
            format!(
                "-----BEGIN {name}PRIVATE KEY-----\n{}\n-----END {name}PRIVATE KEY-----",
                lines.join("\n")
            )
        }
        "slack_hook" => format!(
            "https://hooks.slack.com/services/T{}/B{}/{}",
            chance.letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 10),
            chance.letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 10),
            chance.letters(WORD, 24)
        ),
        _ => return None,
    })
}

fn written(form: &Form, chance: &mut Chance) -> String {
    let mut key = form.begin.to_owned();
    for (before, letters, count) in form.parts {
        key.push_str(before);
        key.push_str(&chance.letters(letters, *count));
    }
    key
}

/// Thirty letters and a checksum of six, as GitHub and npm have them.
fn checked(begin: &str, chance: &mut Chance) -> String {
    let letters = chance.letters(WORD, 30);
    format!("{begin}{letters}{}", base62(crc32(letters.as_bytes())))
}

/// CRC-32 bit by bit, as its polynomial says.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

fn base62(mut value: u32) -> String {
    let mut digits = Vec::new();
    for _ in 0..6 {
        let digit = WORD.as_bytes().get((value % 62) as usize);
        digits.push(char::from(digit.copied().unwrap_or(b'0')));
        value /= 62;
    }
    digits.iter().rev().collect()
}

fn base64(bytes: &[u8]) -> String {
    let alphabet = BASE64.replace('+', "-").replace('/', "_");
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * place)) & 63;
            out.extend(alphabet.chars().nth(index as usize));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_and_encodings_are_those_of_their_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(base62(61), "00000z");
        assert_eq!(base62(62), "000010");
        assert_eq!(
            base64(br#"{"alg":"HS256","typ":"JWT"}"#),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        );
        assert_eq!(base64(b"a"), "YQ");
    }

    #[test]
    fn every_kind_is_written_and_no_other() {
        let mut chance = Chance::new(1, &[], 0);
        for kind in kinds() {
            assert!(
                write(kind, &mut chance).is_some_and(|key| key.len() >= 18),
                "{kind}"
            );
        }
        assert_eq!(write("nothing", &mut chance), None);
    }
}
