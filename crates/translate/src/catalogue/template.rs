//! URLs with names in braces, and what is put in their place.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use percent_encoding::utf8_percent_encode;

use super::fault::Fault;
use crate::error::Error;
use crate::target::SEGMENT;

/// What a provider's URLs leave open: a region, a project, the name of a resource.
///
/// ```
/// use bartizan_translate::catalogue::Settings;
///
/// let settings = Settings::default().with("region", "eu-central-1").with("project", "my-project");
/// assert_eq!(settings.get("region"), Some("eu-central-1"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<Box<str>, Box<str>>);

impl Settings {
    /// Sets one. Which there are, a provider's [`settings`](super::Provider::settings) say.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Sets Azure's `api_version` as its users know it: a date asks for the paths with deployments; `v1` and `latest` for version 1, which
    /// wants no more; `preview` for that with what is not settled yet.
    #[must_use]
    pub fn api_version(self, version: &str) -> Self {
        match version {
            "" | "v1" | "latest" => self,
            "preview" => self.with("v1_version", version),
            dated => self.with("api_version", dated),
        }
    }

    /// The one of that name, if it was set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| &**value)
    }
}

/// Where a template stands, which says what its names may stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Base,
    Path,
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(named) = rest.strip_prefix('{')
            && let Some((name, after)) = named.split_once('}')
        {
            rest = after;
            return Some(Piece::Name(name));
        }
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '{')
            .map_or(rest.len(), |(at, _)| at);
        let (text, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(Piece::Text(text))
    })
}

/// The model's name as one segment, and as Google has it: a tuned model is a resource of another kind.
const MODEL: &str = "model";
const GOOGLE_MODEL: &str = "google_model";

/// The names that a template asks for, the model's apart.
pub(super) fn names(template: &str) -> impl Iterator<Item = &str> {
    pieces(template).filter_map(|piece| match piece {
        Piece::Name(name) if name != MODEL && name != GOOGLE_MODEL => Some(name),
        _ => None,
    })
}

/// Whether a template is well formed.
pub(super) fn check(template: &str, place: Place, field: &'static str) -> Result<(), Fault> {
    if place == Place::Path && !template.starts_with('/') {
        return Err(Fault::new(field, "start a path with a slash"));
    }
    for piece in pieces(template) {
        let fits = match piece {
            Piece::Text(text) => !text.contains(|c: char| {
                c.is_whitespace() || c.is_control() || "{}#<>\"\\^`|".contains(c)
            }),
            Piece::Name(name) => {
                !name.is_empty()
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            }
        };
        if !fits {
            return Err(Fault::new(
                field,
                "a URL belongs here, perhaps with names of small letters in braces, such as {region}",
            ));
        }
    }
    if place == Place::Base && template.contains('?') {
        return Err(Fault::new(field, "a base URL has no query"));
    }
    Ok(())
}

/// Puts in the model and the settings. Names in a base's host must be such that they stay inside their label.
pub(super) fn fill(
    template: &str,
    place: Place,
    model: &str,
    settings: &Settings,
) -> Result<String, Error> {
    let mut whole = String::with_capacity(template.len() + model.len());
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => whole.push_str(text),
            Piece::Name(name @ (MODEL | GOOGLE_MODEL)) => {
                let (kind, model) = match model.split_once('/') {
                    Some((kind @ ("models" | "tunedModels"), model)) if name == GOOGLE_MODEL => {
                        (kind, model)
                    }
                    _ => ("models", model),
                };
                if model.bytes().all(|byte| byte == b'.') {
                    return Err(Error::Climbs);
                }
                if name == GOOGLE_MODEL {
                    let _ = write!(whole, "{kind}/");
                }
                let _ = write!(whole, "{}", utf8_percent_encode(model, SEGMENT));
            }
            Piece::Name(name) => {
                let missing = || Error::Setting {
                    name: name.to_owned(),
                    mend: "is missing",
                };
                let value = settings.get(name).ok_or_else(missing)?;
                let label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
                let fits = match place {
                    Place::Base => value.bytes().all(label),
                    Place::Path => value.bytes().any(|byte| byte != b'.'),
                };
                if value.is_empty() || !fits {
                    return Err(Error::Setting {
                        name: name.to_owned(),
                        mend: "letters, digits and hyphens belong there",
                    });
                }
                let _ = write!(whole, "{}", utf8_percent_encode(value, SEGMENT));
            }
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_leaves_its_place() {
        let base = "https://{region}.example/{account}";
        for (value, fits) in [
            ("eu-west-1", true),
            ("", false),
            ("evil.example/", false),
            ("a.b", false),
            ("a@b", false),
            ("a#b", false),
            ("a\r\nb", false),
        ] {
            let settings = Settings::default()
                .with("region", value)
                .with("account", "a");
            let filled = fill(base, Place::Base, "m", &settings);
            assert_eq!(filled.is_ok(), fits, "{value:?}: {filled:?}");
        }
        let settings = Settings::default().with("project", "example.com:p/../x?y");
        assert_eq!(
            fill(
                "/p/{project}/m/{model}:do?a={project}",
                Place::Path,
                "a/b",
                &settings
            )
            .unwrap(),
            "/p/example.com%3Ap%2F..%2Fx%3Fy/m/a%2Fb:do?a=example.com%3Ap%2F..%2Fx%3Fy"
        );
        assert!(
            fill(
                "/{project}",
                Place::Path,
                "m",
                &Settings::default().with("project", "..")
            )
            .is_err()
        );
        for (model, path) in [
            ("gemini-x", "/models/gemini-x:do"),
            ("models/gemini-x", "/models/gemini-x:do"),
            ("tunedModels/a/b", "/tunedModels/a%2Fb:do"),
            ("other/x", "/models/other%2Fx:do"),
        ] {
            let filled = fill("/{google_model}:do", Place::Path, model, &settings);
            assert_eq!(filled.unwrap(), path);
        }
        for model in ["", ".", ".."] {
            assert!(matches!(
                fill("/{model}", Place::Path, model, &settings),
                Err(Error::Climbs)
            ));
        }
        assert!(matches!(
            fill("/{region}", Place::Path, "m", &settings),
            Err(Error::Setting { name, .. }) if name == "region"
        ));
    }

    #[test]
    fn what_is_no_url_is_told() {
        for (template, place) in [
            ("m", Place::Path),
            ("/{m", Place::Path),
            ("/m}", Place::Path),
            ("/{}", Place::Path),
            ("/{A}", Place::Path),
            ("/a b", Place::Path),
            ("https://a?b", Place::Base),
            ("https://a#b", Place::Base),
        ] {
            assert!(check(template, place, "x").is_err(), "{template}");
        }
    }
}
