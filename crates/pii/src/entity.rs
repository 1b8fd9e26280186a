//! The kinds of personal data that are looked for.

use std::fmt;
use std::str::FromStr;

use crate::ConfigError;

/// A kind of personal data, by Presidio's name.
///
/// ```
/// use bartizan_pii::Entity;
///
/// assert_eq!("IN_AADHAAR".parse(), Ok(Entity::InAadhaar));
/// assert_eq!(Entity::Email.to_string(), "EMAIL_ADDRESS");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Entity {
    /// `IN_AADHAAR`: India's resident number, 12 digits with a Verhoeff check.
    InAadhaar,
    /// `IN_PAN`: India's permanent account number for tax.
    InPan,
    /// `IN_GSTIN`: India's goods and services tax number, 15 characters with a check character.
    InGstin,
    /// `PHONE_NUMBER`: Indian mobiles, international numbers, and local ones beside a word that says so.
    Phone,
    /// `EMAIL_ADDRESS`.
    Email,
    /// `CREDIT_CARD`: 12 to 19 digits of a known issuer with a Luhn check.
    Card,
    /// `IBAN_CODE`: of a known country and its length, mod 97 checked.
    Iban,
    /// `IP_ADDRESS`: version 4 and 6, with a prefix length if there is one.
    Ip,
}

impl Entity {
    /// Every kind that this crate finds.
    pub const ALL: &'static [Self] = &[
        Self::InAadhaar,
        Self::InPan,
        Self::InGstin,
        Self::Phone,
        Self::Email,
        Self::Card,
        Self::Iban,
        Self::Ip,
    ];

    /// Presidio's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InAadhaar => "IN_AADHAAR",
            Self::InPan => "IN_PAN",
            Self::InGstin => "IN_GSTIN",
            Self::Phone => "PHONE_NUMBER",
            Self::Email => "EMAIL_ADDRESS",
            Self::Card => "CREDIT_CARD",
            Self::Iban => "IBAN_CODE",
            Self::Ip => "IP_ADDRESS",
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Entity {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|entity| entity.as_str() == name)
            .ok_or_else(|| ConfigError::UnknownEntity(name.to_owned()))
    }
}

/// A table with one value for each kind. Kinds it was not told of hold the default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PerEntity<T>(Vec<(Entity, T)>);

impl<T> Default for PerEntity<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> PerEntity<T> {
    pub(crate) fn set(&mut self, entity: Entity, value: T) {
        match self.0.iter_mut().find(|(known, _)| *known == entity) {
            Some((_, old)) => *old = value,
            None => self.0.push((entity, value)),
        }
    }

    pub(crate) fn of(&self, entity: Entity) -> Option<&T> {
        self.0
            .iter()
            .find(|(known, _)| *known == entity)
            .map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Entity, &T)> {
        self.0.iter().map(|(entity, value)| (*entity, value))
    }
}

impl PerEntity<u64> {
    pub(crate) fn add(&mut self, entity: Entity, count: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == entity) {
            Some((_, old)) => *old = old.saturating_add(count),
            None => self.0.push((entity, count)),
        }
    }
}
