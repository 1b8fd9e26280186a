//! Whose counts they are.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use bartizan_core::Level;

/// Whose calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Everybody,
    Organization(String),
    Team(String),
    User(String),
    /// The key of the caller.
    OwnKey(String),
    /// A key that the caller's was minted with.
    ElderKey(String),
    Anonymous,
    Tag(String),
    /// By a keyed digest.
    EndUser(String),
}

/// Whose, and of which model, where that is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Whose {
    pub(crate) who: Who,
    pub(crate) model: Option<Arc<str>>,
}

impl Who {
    pub(crate) fn of(level: Level, id: &str, own: &str) -> Self {
        let id = id.to_owned();
        match level {
            Level::Organization => Self::Organization(id),
            Level::Team => Self::Team(id),
            Level::User => Self::User(id),
            _ if id == own => Self::OwnKey(id),
            _ => Self::ElderKey(id),
        }
    }

    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Everybody => "global",
            Self::Organization(_) => "organization",
            Self::Team(_) => "team",
            Self::User(_) => "user",
            Self::OwnKey(_) | Self::ElderKey(_) => "key",
            Self::Anonymous => "anonymous",
            Self::Tag(_) => "tag",
            Self::EndUser(_) => "end_user",
        }
    }

    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Everybody | Self::Anonymous => "",
            Self::Organization(id)
            | Self::Team(id)
            | Self::User(id)
            | Self::OwnKey(id)
            | Self::ElderKey(id)
            | Self::Tag(id)
            | Self::EndUser(id) => id,
        }
    }
}

impl Whose {
    pub(crate) fn all(who: Who) -> Self {
        Self { who, model: None }
    }

    pub(crate) fn model(who: Who, model: &Arc<str>) -> Self {
        Self {
            who,
            model: Some(Arc::clone(model)),
        }
    }

    /// Whether its numbers are the caller's own to see: others' use can be read from what they share.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.who, Who::OwnKey(_) | Who::Anonymous)
    }

    /// The scope's word in metrics and notes.
    pub(crate) fn word(&self) -> &'static str {
        match (&self.who, &self.model) {
            (who, None) => who.as_str(),
            (Who::Everybody, Some(_)) => "model",
            (Who::Organization(_), Some(_)) => "organization_model",
            (Who::Team(_), Some(_)) => "team_model",
            (Who::User(_), Some(_)) => "user_model",
            (Who::OwnKey(_) | Who::ElderKey(_), Some(_)) => "key_model",
            (Who::Anonymous, Some(_)) => "anonymous_model",
            (Who::Tag(_), Some(_)) => "tag_model",
            (Who::EndUser(_), Some(_)) => "end_user_model",
        }
    }

    /// What a caller is told of it: no more than what it is to the caller.
    pub(crate) fn told(&self) -> String {
        let who = match &self.who {
            Who::Everybody => {
                return match &self.model {
                    None => "this gateway".to_owned(),
                    // A name from the configuration, which the request has merely matched.
                    Some(model) => format!("model {model}"),
                };
            }
            Who::Organization(_) => "this key's organization",
            Who::Team(_) => "this key's team",
            Who::User(_) => "this key's user",
            Who::OwnKey(_) => "this key",
            Who::ElderKey(_) => "the key that this one was minted with",
            Who::Anonymous => "calls without a key",
            Who::Tag(_) => "a tag of this key",
            Who::EndUser(_) => "this end user",
        };
        match &self.model {
            None => who.to_owned(),
            Some(model) => format!("{who} and model {model}"),
        }
    }
}

/// As it stands in counters' names: words and identifiers between slashes, and in identifiers what would be taken for more than one of them as
/// percent and hexadecimals.
impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.who.as_str())?;
        if !matches!(self.who, Who::Everybody | Who::Anonymous) {
            f.write_char('/')?;
            escape(self.who.id(), f)?;
        }
        if let Some(model) = &self.model {
            f.write_str("/model/")?;
            escape(model, f)?;
        }
        Ok(())
    }
}

fn escape(id: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for character in id.chars() {
        // Braces choose the slot of a key in a cluster.
        if matches!(character, '%' | '/' | '{' | '}') || character.is_control() {
            write!(f, "%{:02x}", u32::from(character))?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn who() -> impl Strategy<Value = Who> {
        let id = "[ab/%{}\u{1}]{0,4}|model";
        prop_oneof![
            Just(Who::Everybody),
            Just(Who::Anonymous),
            id.prop_map(Who::Team),
            id.prop_map(Who::OwnKey),
            id.prop_map(Who::Tag),
        ]
    }

    proptest! {
        #[test]
        fn no_two_scopes_have_one_name(one in who(), other in who(), models in any::<[bool; 2]>(), names in ["[ab/%]{0,3}", "[ab/%]{0,3}"]) {
            let whose = |who: &Who, with: bool, name: &str| Whose { who: who.clone(), model: with.then(|| name.into()) };
            let (one, other) = (whose(&one, models[0], &names[0]), whose(&other, models[1], &names[1]));
            prop_assert_eq!(one.to_string() == other.to_string(), one == other, "{} {}", one, other);
            let braces = one.to_string().contains(['{', '}']);
            prop_assert!(!braces);
        }
    }

    #[test]
    fn a_key_keeps_its_count_whether_it_calls_itself_or_one_minted_with_it() {
        let own = Whose::all(Who::of(Level::Key, "k", "k"));
        let elder = Whose::all(Who::of(Level::Key, "k", "child"));
        assert_eq!(own.to_string(), elder.to_string());
        assert!(own.is_own() && !elder.is_own());
    }
}
