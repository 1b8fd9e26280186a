//! Texts with slots.
//!
//! A file has a kind and a language in its name, `chat.hi.txt`, and templates parted by lines of `%%`. A slot is
//! `{IN_AADHAAR}`, `{IN_AADHAAR:printed}` (personal data), `{!order_id12}` (what must not be found) or `{~name}` (what is
//! there without being marked). Braces around anything else are text.

use std::path::Path;

use crate::Failure;

/// A text with slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// `chat.hi:3`.
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Data { entity: String, wish: String },
    Trap(String),
    Filler(String),
}

/// All templates of a folder, in the order of their names.
pub(crate) fn read(folder: &Path) -> Result<Vec<Template>, Failure> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        paths.push(entry.map_err(wrong)?.path());
    }
    paths.sort();
    let mut templates = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(wrong)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let Some((_, language)) = stem.split_once('.') else {
            return Err(format!("{}: not KIND.LANGUAGE.txt", path.display()));
        };
        for (index, text) in text.split("\n%%\n").enumerate() {
            templates.push(Template {
                name: format!("{stem}:{}", index + 1),
                language: language.to_owned(),
                parts: parts(text.trim_end_matches('\n')),
            });
        }
    }
    Ok(templates)
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        plain.push_str(before);
        let slot = after
            .split_once('}')
            .and_then(|(slot, after)| Some((slot_of(slot)?, after)));
        if let Some((slot, after)) = slot {
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(slot);
            rest = after;
        } else {
            plain.push('{');
            rest = after;
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

fn slot_of(slot: &str) -> Option<Part> {
    let word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if let Some(name) = slot.strip_prefix('!').filter(|name| word(name)) {
        return Some(Part::Trap(name.to_owned()));
    }
    if let Some(name) = slot.strip_prefix('~').filter(|name| word(name)) {
        return Some(Part::Filler(name.to_owned()));
    }
    let (entity, wish) = slot.split_once(':').unwrap_or((slot, ""));
    let named = entity.len() > 3
        && entity
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    named.then(|| Part::Data {
        entity: entity.to_owned(),
        wish: wish.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_told_from_braces_of_the_text() {
        let text = |text: &str| Part::Text(text.to_owned());
        let data = |entity: &str, wish: &str| Part::Data {
            entity: entity.to_owned(),
            wish: wish.to_owned(),
        };
        let json = r#"{"a": "{IN_PAN:bare}", "b": {!order_id12}, "c": "{name}"}{~name}"#;
        assert_eq!(
            parts(json),
            [
                text(r#"{"a": ""#),
                data("IN_PAN", "bare"),
                text(r#"", "b": "#),
                Part::Trap("order_id12".to_owned()),
                text(r#", "c": "{name}"}"#),
                Part::Filler("name".to_owned()),
            ]
        );
    }
}
