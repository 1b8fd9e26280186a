//! Mints keys.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bartizan_core::{Limits, Models, Period, Principal, Role};
use secrecy::{ExposeSecret, SecretString};

use super::Keys;
use crate::Error;
use crate::key::{KeyId, VirtualKey};
use crate::narrow;
use crate::record::{KeyRecord, Standing};

const LONGEST_TEXT: usize = 256;
const MOST_ENTRIES: usize = 64;
const MOST_MODELS: usize = 1_000;

/// What a new key is wished to be. What is `None` or empty is taken from the minter, or means no restriction.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRequest {
    /// The name that people give it (`key_alias`), 256 characters at most.
    pub alias: Option<String>,
    /// The team that pays.
    pub team_id: Option<String>,
    /// The person or service whose key it is.
    pub user_id: Option<String>,
    /// What its holder may do. An internal user's rights by default.
    pub role: Option<Role>,
    /// The models that may be called. Those of the minter by default. LiteLLM's empty list means [`Models::All`]; here an empty
    /// [`Models::Only`] allows none.
    pub models: Option<Models>,
    /// Requests and tokens a minute. Those of the minter by default.
    pub limits: Limits,
    /// Free-form pairs, 64 at most, each part 256 characters at most.
    pub metadata: BTreeMap<String, String>,
    /// Free-form words, 64 at most, 256 characters each at most.
    pub tags: Vec<String>,
    /// How long it lives (`duration`). As long as the minter's own key by default.
    pub duration: Option<Period>,
}

/// A new key. `key` is all there will ever be of it: the store has its digest alone.
#[derive(Clone)]
#[non_exhaustive]
pub struct MintedKey {
    /// What its holder presents.
    pub key: SecretString,
    /// What it may do: never more than its minter.
    pub record: KeyRecord,
}

/// What a minter may hand on.
struct Rights {
    role: Role,
    models: Models,
    limits: Limits,
    expires_at: Option<Duration>,
}

impl Keys {
    /// Mints a key. Its rights are the meet of what `request` asks for and what `minter` has: fewer models, tighter limits, an earlier
    /// end and a lesser role than asked for come back in the record, without an error.
    ///
    /// A proxy admin mints for anybody. Anybody else mints with a virtual key of good standing, for their own user and team.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for another's user or team, or where the minter's own key is not known here; [`Error::Invalid`] for a field out of
    /// range; [`Error::Store`] when the alias is taken or the store fails.
    pub async fn generate(
        &self,
        minter: &Principal,
        request: KeyRequest,
    ) -> Result<MintedKey, Error> {
        check(&request)?;
        let now = self.clock.unix();
        let rights = self.rights(minter, now).await?;
        let key = VirtualKey::generate()?;
        let digest = match VirtualKey::parse(key.expose_secret()) {
            Some(parsed) => self.pepper.digest(parsed),
            None => return Err(Error::Randomness),
        };
        let mut record = KeyRecord::new(KeyId::generate()?, digest, whole_milliseconds(now));
        record.alias = request.alias;
        record.team_id = own(
            "for another team",
            minter,
            minter.team_id(),
            request.team_id,
        )?;
        record.user_id = own(
            "for another user",
            minter,
            minter.user_id(),
            request.user_id,
        )?;
        record.role = rights.role.meet(request.role.unwrap_or(Role::InternalUser));
        record.rights.models =
            narrow::models(&rights.models, &request.models.unwrap_or(Models::All));
        record.rights.bounds.limits = narrow::limits(rights.limits, request.limits);
        record.metadata = request.metadata;
        record.tags = request.tags;
        minter.key_id().clone_into(&mut record.created_by);
        let asked = request
            .duration
            .map(|period| whole_milliseconds(period.after(now)));
        record.expires_at = match (asked, rights.expires_at) {
            (Some(asked), Some(bound)) => Some(asked.min(bound)),
            (asked, bound) => asked.or(bound),
        };
        self.ask(self.store.insert(record.clone())).await?;
        metrics::counter!("bartizan.auth.keys_minted").increment(1);
        tracing::debug!(key_id = %record.key_id, by = minter.key_id(), "minted a key");
        Ok(MintedKey { key, record })
    }

    /// What `minter` may hand on, by its record where it has one: a principal was true when the call came in, the record is true now,
    /// and only the record says when the key ends.
    async fn rights(&self, minter: &Principal, now: Duration) -> Result<Rights, Error> {
        if let Some(key_id) = KeyId::parse(minter.key_id()) {
            let record = self.ask(self.store.get(&[key_id])).await?.pop();
            let record = record.filter(|record| record.standing(now) == Standing::Live);
            let record =
                record.ok_or(Error::Forbidden("the key that mints opens nothing itself"))?;
            return Ok(Rights {
                role: record.role,
                models: record.rights.models,
                limits: record.rights.bounds.limits,
                expires_at: record.expires_at,
            });
        }
        if minter.role() != Role::ProxyAdmin {
            return Err(Error::Forbidden(
                "only a virtual key or a proxy admin mints keys",
            ));
        }
        Ok(Rights {
            role: minter.role(),
            models: minter.models().clone(),
            limits: minter.limits(),
            expires_at: None,
        })
    }
}

/// An admin gives a key to whom they like; everybody else keeps it.
fn own(
    what: &'static str,
    minter: &Principal,
    has: Option<&str>,
    asked: Option<String>,
) -> Result<Option<String>, Error> {
    if minter.role() == Role::ProxyAdmin {
        return Ok(asked);
    }
    match asked {
        Some(asked) if has != Some(asked.as_str()) => Err(Error::Forbidden(what)),
        _ => Ok(has.map(str::to_owned)),
    }
}

fn check(request: &KeyRequest) -> Result<(), Error> {
    let names = [
        ("key_alias", &request.alias),
        ("team_id", &request.team_id),
        ("user_id", &request.user_id),
    ];
    for (field, name) in names {
        if let Some(name) = name
            && (name.is_empty() || !is_text(name))
        {
            return Err(Error::Invalid {
                field,
                mend: "give 1 to 256 characters without control characters, or leave it out",
            });
        }
    }
    if request.metadata.len() > MOST_ENTRIES
        || !request
            .metadata
            .iter()
            .flat_map(|(name, value)| [name, value])
            .all(|text| is_text(text))
    {
        return Err(Error::Invalid {
            field: "metadata",
            mend: "give at most 64 pairs of at most 256 characters each",
        });
    }
    if request.tags.len() > MOST_ENTRIES || !request.tags.iter().all(|text| is_text(text)) {
        return Err(Error::Invalid {
            field: "tags",
            mend: "give at most 64 of at most 256 characters each",
        });
    }
    if let Some(Models::Only(names)) = &request.models
        && (names.len() > MOST_MODELS || !names.iter().all(|text| is_text(text)))
    {
        return Err(Error::Invalid {
            field: "models",
            mend: "give at most 1,000 names of at most 256 characters each",
        });
    }
    Ok(())
}

fn is_text(text: &str) -> bool {
    text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control)
}

/// Times are kept to the millisecond, so that a record reads the same before and after it was stored.
pub(super) fn whole_milliseconds(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl fmt::Debug for KeyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRequest")
            .field("team_id", &self.team_id)
            .field("role", &self.role)
            .field("limits", &self.limits)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MintedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedKey")
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}
