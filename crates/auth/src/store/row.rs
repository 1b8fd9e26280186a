//! How records lie in a table: columns for what is looked for, and one JSON document for the rest.
//!
//! What this code could not have written is refused when it is read: a role that isn't known is no role, and a restriction that a newer
//! version wrote must not be overlooked by an older one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bartizan_core::{Bounds, Budget, Decimal, KeyType, Limits, Models, Role};
use serde::{Deserialize, Serialize};

use crate::account::{Account, AccountId, AccountKind, Member};
use crate::digest::KeyDigest;
use crate::key::KeyId;
use crate::metadata::Metadata;
use crate::record::{KeyRecord, Minter, Previous, Rotation};
use crate::rights::{Addresses, Rights, Routes};

/// A column that holds what this code could not have written. It tells nothing of what stands there.
#[derive(Debug, thiserror::Error)]
#[error("the column {0} holds what this version can't read")]
pub(crate) struct Unreadable(pub(crate) &'static str);

/// A row of `keys`. Times are milliseconds since 1970.
#[derive(Debug)]
pub(crate) struct KeyRow {
    pub(crate) key_id: String,
    pub(crate) digest: Vec<u8>,
    pub(crate) previous_digest: Option<Vec<u8>>,
    pub(crate) alias: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) created_by: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) rotates_at: Option<i64>,
    pub(crate) blocked: bool,
    pub(crate) revoked_at: Option<i64>,
    pub(crate) updated_at: i64,
    pub(crate) version: i64,
    pub(crate) body: String,
}

/// A row of `accounts`.
#[derive(Debug)]
pub(crate) struct AccountRow {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) alias: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) blocked: bool,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) version: i64,
    pub(crate) body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyBody {
    role: String,
    key_type: String,
    rights: RightsBody,
    aliases: BTreeMap<String, String>,
    lineage: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minter: Option<MinterBody>,
    previous_until: Option<i64>,
    rotation_interval: Option<String>,
    metadata: Metadata,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MinterBody {
    user_id: Option<String>,
    team_id: Option<String>,
    organization_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountBody {
    email: Option<String>,
    role: String,
    members: Vec<(String, String)>,
    rights: RightsBody,
    metadata: Metadata,
    created_by: String,
}

/// `None` stands for all, a list for these only.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RightsBody {
    models: Option<Vec<String>>,
    routes: Option<Vec<String>>,
    addresses: Option<Vec<String>>,
    bounds: BoundsBody,
    model_bounds: BTreeMap<String, BoundsBody>,
    guardrails: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundsBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rpm: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tpm: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_parallel_requests: Option<u32>,
    /// Decimals as text: a number would pass through a float.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_budget: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    soft_budget: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget_duration: Option<String>,
}

impl KeyRow {
    pub(crate) fn of(record: &KeyRecord) -> Result<Self, serde_json::Error> {
        let body = KeyBody {
            role: record.role.as_str().to_owned(),
            key_type: record.key_type.as_str().to_owned(),
            rights: RightsBody::of(&record.rights),
            aliases: record.aliases.clone(),
            lineage: record.lineage.iter().map(ToString::to_string).collect(),
            minter: record.minter.clone().map(|minter| MinterBody {
                user_id: minter.user_id,
                team_id: minter.team_id,
                organization_id: minter.organization_id,
            }),
            previous_until: record.previous.map(|previous| milliseconds(previous.until)),
            rotation_interval: record
                .rotation
                .map(|rotation| rotation.interval.to_string()),
            metadata: record.metadata.clone(),
            tags: record.tags.clone(),
        };
        Ok(Self {
            key_id: record.key_id.to_string(),
            digest: record.digest.as_bytes().to_vec(),
            previous_digest: record
                .previous
                .map(|previous| previous.digest.as_bytes().to_vec()),
            alias: record.alias.clone(),
            team_id: record.team_id.clone(),
            user_id: record.user_id.clone(),
            organization_id: record.organization_id.clone(),
            created_by: record.created_by.clone(),
            created_at: milliseconds(record.created_at),
            expires_at: record.expires_at.map(milliseconds),
            rotates_at: record
                .rotation
                .map(|rotation| milliseconds(rotation.next_at)),
            blocked: record.blocked,
            revoked_at: record.revoked_at.map(milliseconds),
            updated_at: milliseconds(record.updated_at),
            version: i64::try_from(record.version).unwrap_or(i64::MAX),
            body: serde_json::to_string(&body)?,
        })
    }

    pub(crate) fn record(self) -> Result<KeyRecord, Unreadable> {
        let body: KeyBody =
            serde_json::from_str(&self.body).map_err(|_| Unreadable("keys.body"))?;
        let key_id = KeyId::parse(&self.key_id).ok_or(Unreadable("keys.key_id"))?;
        let digest = digest(&self.digest).ok_or(Unreadable("keys.digest"))?;
        let mut record = KeyRecord::new(key_id, digest, time(self.created_at));
        record.alias = self.alias;
        record.team_id = self.team_id;
        record.user_id = self.user_id;
        record.organization_id = self.organization_id;
        record.role = Role::parse(&body.role).ok_or(Unreadable("keys.body.role"))?;
        record.key_type = KeyType::parse(&body.key_type).ok_or(Unreadable("keys.body.key_type"))?;
        record.rights = body.rights.rights().ok_or(Unreadable("keys.body.rights"))?;
        record.aliases = body.aliases;
        let lineage: Option<Vec<KeyId>> = body.lineage.iter().map(|id| KeyId::parse(id)).collect();
        record.lineage = lineage.ok_or(Unreadable("keys.body.lineage"))?;
        record.minter = body.minter.map(|minter| Minter {
            user_id: minter.user_id,
            team_id: minter.team_id,
            organization_id: minter.organization_id,
        });
        record.previous = match (self.previous_digest, body.previous_until) {
            (Some(bytes), Some(until)) => Some(Previous {
                digest: self::digest(&bytes).ok_or(Unreadable("keys.previous_digest"))?,
                until: time(until),
            }),
            (None, None) => None,
            _ => return Err(Unreadable("keys.previous_digest")),
        };
        record.rotation = match (self.rotates_at, body.rotation_interval) {
            (Some(next_at), Some(interval)) => Some(Rotation {
                interval: interval
                    .parse()
                    .map_err(|_| Unreadable("keys.body.rotation_interval"))?,
                next_at: time(next_at),
            }),
            (None, None) => None,
            _ => return Err(Unreadable("keys.rotates_at")),
        };
        record.metadata = body.metadata;
        record.tags = body.tags;
        record.created_by = self.created_by;
        record.expires_at = self.expires_at.map(time);
        record.blocked = self.blocked;
        record.revoked_at = self.revoked_at.map(time);
        record.updated_at = time(self.updated_at);
        record.version = u64::try_from(self.version).map_err(|_| Unreadable("keys.version"))?;
        Ok(record)
    }
}

impl AccountRow {
    pub(crate) fn of(account: &Account) -> Result<Self, serde_json::Error> {
        let body = AccountBody {
            email: account.email.clone(),
            role: account.role.as_str().to_owned(),
            members: account
                .members
                .iter()
                .map(|member| (member.user_id.clone(), member.role.as_str().to_owned()))
                .collect(),
            rights: RightsBody::of(&account.rights),
            metadata: account.metadata.clone(),
            created_by: account.created_by.clone(),
        };
        Ok(Self {
            kind: account.id.kind.as_str().to_owned(),
            id: account.id.id.clone(),
            alias: account.alias.clone(),
            organization_id: account.organization_id.clone(),
            blocked: account.blocked,
            created_at: milliseconds(account.created_at),
            updated_at: milliseconds(account.updated_at),
            deleted_at: account.deleted_at.map(milliseconds),
            version: i64::try_from(account.version).unwrap_or(i64::MAX),
            body: serde_json::to_string(&body)?,
        })
    }

    pub(crate) fn account(self) -> Result<Account, Unreadable> {
        let body: AccountBody =
            serde_json::from_str(&self.body).map_err(|_| Unreadable("accounts.body"))?;
        let kind = AccountKind::parse(&self.kind).ok_or(Unreadable("accounts.kind"))?;
        let mut account = Account::new(AccountId::new(kind, self.id), time(self.created_at));
        account.alias = self.alias;
        account.email = body.email;
        account.organization_id = self.organization_id;
        account.role = Role::parse(&body.role).ok_or(Unreadable("accounts.body.role"))?;
        let members: Option<Vec<Member>> = body
            .members
            .into_iter()
            .map(|(user_id, role)| {
                Some(Member {
                    user_id,
                    role: Role::parse(&role)?,
                })
            })
            .collect();
        account.members = members.ok_or(Unreadable("accounts.body.members"))?;
        account.rights = body
            .rights
            .rights()
            .ok_or(Unreadable("accounts.body.rights"))?;
        account.metadata = body.metadata;
        account.blocked = self.blocked;
        account.created_by = body.created_by;
        account.updated_at = time(self.updated_at);
        account.deleted_at = self.deleted_at.map(time);
        account.version =
            u64::try_from(self.version).map_err(|_| Unreadable("accounts.version"))?;
        Ok(account)
    }
}

impl RightsBody {
    fn of(rights: &Rights) -> Self {
        Self {
            models: match &rights.models {
                Models::All => None,
                Models::Only(names) => Some(names.clone()),
            },
            routes: match &rights.routes {
                Routes::All => None,
                Routes::Only(paths) => Some(paths.clone()),
            },
            addresses: match &rights.addresses {
                Addresses::All => None,
                Addresses::Only(ranges) => Some(ranges.iter().map(ToString::to_string).collect()),
            },
            bounds: BoundsBody::of(&rights.bounds),
            model_bounds: rights
                .model_bounds
                .iter()
                .map(|(model, bounds)| (model.clone(), BoundsBody::of(bounds)))
                .collect(),
            guardrails: rights.guardrails.clone(),
        }
    }

    fn rights(self) -> Option<Rights> {
        let addresses = match self.addresses {
            None => Addresses::All,
            Some(ranges) => {
                let ranges: Result<_, _> = ranges.iter().map(|range| range.parse()).collect();
                Addresses::Only(ranges.ok()?)
            }
        };
        let model_bounds: Option<_> = self
            .model_bounds
            .into_iter()
            .map(|(model, bounds)| Some((model, bounds.bounds()?)))
            .collect();
        Some(Rights {
            models: self.models.map_or(Models::All, Models::Only),
            routes: self.routes.map_or(Routes::All, Routes::Only),
            addresses,
            bounds: self.bounds.bounds()?,
            model_bounds: model_bounds?,
            guardrails: self.guardrails,
        })
    }
}

impl BoundsBody {
    fn of(bounds: &Bounds) -> Self {
        let text = |money: Option<Decimal>| money.map(|money| money.to_string());
        Self {
            rpm: bounds.limits.rpm,
            tpm: bounds.limits.tpm,
            max_parallel_requests: bounds.limits.max_parallel_requests,
            max_budget: text(bounds.budget.max_budget),
            soft_budget: text(bounds.budget.soft_budget),
            budget_duration: bounds
                .budget
                .budget_duration
                .map(|period| period.to_string()),
        }
    }

    fn bounds(self) -> Option<Bounds> {
        let money = |text: Option<String>| match text {
            None => Some(None),
            Some(text) => text.parse::<Decimal>().ok().map(Some),
        };
        let budget_duration = match self.budget_duration {
            None => None,
            Some(text) => Some(text.parse().ok()?),
        };
        Some(Bounds {
            limits: Limits {
                rpm: self.rpm,
                tpm: self.tpm,
                max_parallel_requests: self.max_parallel_requests,
            },
            budget: Budget {
                max_budget: money(self.max_budget)?,
                soft_budget: money(self.soft_budget)?,
                budget_duration,
            },
        })
    }
}

fn digest(bytes: &[u8]) -> Option<KeyDigest> {
    bytes.try_into().ok().map(KeyDigest::from_bytes)
}

pub(crate) fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A time before 1970 reads as 1970: a key that ended then has ended.
pub(crate) fn time(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}
