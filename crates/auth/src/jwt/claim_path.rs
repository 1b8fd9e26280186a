//! Where in a token something stands.

use std::fmt;
use std::str::FromStr;

use bartizan_core::json::Value;

use crate::ConfigError;

/// The way to a claim: names with dots between (`resource_access.bartizan.roles`). A dot that belongs to a name is written `\.`, as in
/// `https://example\.com/roles`.
///
/// ```
/// use bartizan_auth::jwt::ClaimPath;
///
/// let path: ClaimPath = r"https://example\.com/roles".parse()?;
/// assert_eq!(path.to_string(), r"https://example\.com/roles");
/// assert!("realm_access..roles".parse::<ClaimPath>().is_err());
/// # Ok::<(), bartizan_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    written: Box<str>,
    steps: Vec<String>,
}

impl ClaimPath {
    /// The claim of that name on the outside.
    pub(super) fn named(name: &str) -> Self {
        Self {
            written: name.into(),
            steps: vec![name.to_owned()],
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.written
    }

    pub(super) fn find<'a>(&self, claims: Value<'a>) -> Option<Value<'a>> {
        self.steps
            .iter()
            .try_fold(claims, |value, step| value.get(step))
    }
}

impl FromStr for ClaimPath {
    type Err = ConfigError;

    fn from_str(written: &str) -> Result<Self, ConfigError> {
        let mut steps = vec![String::new()];
        let mut characters = written.chars();
        while let Some(character) = characters.next() {
            match (character, steps.last_mut()) {
                ('.', _) => steps.push(String::new()),
                ('\\', Some(step)) => step.extend(characters.next()),
                (character, Some(step)) => step.push(character),
                (_, None) => {}
            }
        }
        if steps.iter().any(String::is_empty) {
            return Err(ConfigError::Invalid {
                what: "the path of a claim",
                mend: "write names with one dot between, and `\\.` for a dot in a name",
            });
        }
        Ok(Self {
            written: written.into(),
            steps,
        })
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
