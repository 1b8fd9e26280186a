//! The names under which one model is found: those of its clouds, dates and versions taken off, one after the other.

/// Regions in front of the names of Bedrock's inference profiles.
const REGIONS: [&str; 10] = [
    "us.", "eu.", "apac.", "us-gov.", "global.", "jp.", "au.", "ca.", "sa.", "in.",
];

/// `name` and what it is called with less around it, the fullest first.
pub(crate) fn variants(name: &str) -> Vec<&str> {
    let mut all = vec![name];
    let mut rest = name;
    loop {
        let next = [
            arn(rest),
            REGIONS.iter().find_map(|region| rest.strip_prefix(region)),
            version(rest),
            rest.rsplit_once('@').map(|(name, _)| name),
            rest.strip_suffix("-latest"),
            dated(rest),
            vendor(rest),
        ]
        .into_iter()
        .flatten()
        .find(|next| !next.is_empty() && next.len() < rest.len());
        match next {
            Some(next) => {
                all.push(next);
                rest = next;
            }
            None => return all,
        }
    }
}

/// What an ARN names: the last of its segments.
fn arn(name: &str) -> Option<&str> {
    name.starts_with("arn:")
        .then(|| name.rsplit('/').next())
        .flatten()
}

/// Bedrock's `-v1:0` and `:0`.
fn version(name: &str) -> Option<&str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (name, minor) = name.rsplit_once(':')?;
    if !digits(minor) && !minor.strip_suffix('k').is_some_and(digits) {
        return None;
    }
    match name.rsplit_once("-v") {
        Some((bare, major)) if digits(major) => Some(bare),
        _ => Some(name),
    }
}

/// `-20250929` and `-2024-08-06`.
fn dated(name: &str) -> Option<&str> {
    let date = |text: &str, form: &[u8]| {
        text.len() == form.len()
            && text.bytes().zip(form).all(|(byte, form)| match form {
                b'-' => byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    [b"-dddddddd".as_slice(), b"-dddd-dd-dd"]
        .into_iter()
        .find_map(|form| {
            let at = name.len().checked_sub(form.len())?;
            let (name, end) = name.split_at_checked(at)?;
            date(end, form).then_some(name)
        })
}

/// The maker or the zone in front of a name at a cloud: `anthropic.claude-…`, `databricks-claude-…`, `openai/gpt-…`, `eu/gpt-…`.
fn vendor(name: &str) -> Option<&str> {
    ["anthropic.", "databricks-", "openai."]
        .into_iter()
        .find_map(|vendor| name.strip_prefix(vendor))
        .or_else(|| name.split_once('/').map(|(_, name)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_without_what_clouds_put_around_it() {
        for (name, wanted) in [
            ("claude-opus-4-1-20250805", "claude-opus-4-1"),
            ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
            ("claude-haiku-4-5-latest", "claude-haiku-4-5"),
            (
                "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                "claude-haiku-4-5",
            ),
            (
                "anthropic.claude-3-haiku-20240307-v1:0:48k",
                "claude-3-haiku",
            ),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-opus-5",
                "claude-opus-5",
            ),
            ("databricks-claude-sonnet-4", "claude-sonnet-4"),
            ("anthropic/claude-opus-5", "claude-opus-5"),
            ("global-standard/gpt-4o-2024-08-06", "gpt-4o"),
            ("accounts/fireworks/models/glm-5", "glm-5"),
        ] {
            assert_eq!(variants(name).last(), Some(&wanted), "{name}");
        }
        for name in [
            "claude-opus-4-2025",
            "claude-opus-4-9",
            "o1",
            "",
            "qwen3:8b",
            "a-v1",
            "a/",
        ] {
            assert_eq!(variants(name), [name]);
        }
    }
}
