//! A provider's words without what nobody else may read.

/// The most of a provider's words that go on, in characters.
const MOST: usize = 600;

/// Takes out of a provider's words whatever may be a credential or an address, word by word.
pub(super) fn scrub(words: &str) -> String {
    let mut clean = String::new();
    let words = words.split_inclusive(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | '(' | ')' | '<' | '>' | '=')
    });
    for word in words {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_secret(bare) {
            clean.push_str("[removed]");
            let tail = word.len()
                - word
                    .trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
                    .len();
            clean.push_str(word.get(word.len() - tail..).unwrap_or_default());
        } else {
            clean.extend(word.chars().filter(|c| !c.is_control()));
        }
        if clean.len() >= MOST {
            break;
        }
    }
    clean.chars().take(MOST).collect()
}

fn is_secret(word: &str) -> bool {
    const STARTS: &[&str] = &[
        "sk-", "sk_", "pk-", "rk-", "key-", "AKIA", "ASIA", "AIza", "ya29.", "eyJ", "ghp_", "gho_",
        "xox", "gsk_", "hf_", "nvapi-", "org-", "proj_",
    ];
    if word.contains("://")
        || word.contains("***")
        || STARTS.iter().any(|start| word.starts_with(start))
    {
        return true;
    }
    // A long run of letters and digits mixed, such as no word and no id of a tool call is.
    let token = word.len() >= 36
        && word.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/')
        });
    token
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_addresses_are_taken_out_of_a_providers_words() {
        for (said, kept) in [
            (
                "Incorrect API key provided: sk-proj-abc123.",
                "Incorrect API key provided: [removed].",
            ),
            (
                "key 'AKIAABCDEFGH' at https://internal.example/x?y=1, sorry",
                "key '[removed]' at [removed]=1, sorry",
            ),
            ("Bearer eyJhbGciOi.J9 is bad", "Bearer [removed] is bad"),
            ("Bad: sk-ab***********yz", "Bad: [removed]"),
            (
                "token 0123456789abcdef0123456789abcdef0123",
                "token [removed]",
            ),
            (
                "`tool_use` ids without results: toolu_01ADw53o3uvrGvccVaVYUX4G.",
                "`tool_use` ids without results: toolu_01ADw53o3uvrGvccVaVYUX4G.",
            ),
            ("max_tokens: 128000 > 64000", "max_tokens: 128000 > 64000"),
            ("a\r\nb\u{1b}[31m", "ab[31m"),
        ] {
            assert_eq!(scrub(said), kept);
        }
        assert!(scrub(&"word ".repeat(1_000)).len() <= MOST);
    }
}
