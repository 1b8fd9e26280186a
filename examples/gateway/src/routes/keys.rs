//! `/key/generate`, `/key/info` and `/key/delete`, with LiteLLM's fields.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use bartizan::auth::{Error, KeyRecord, KeyRequest, Keys, Period, Standing};
use bartizan::core::{Clock as _, Limits, Models, Refusal, RefusalKind, Role, SystemClock};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::own::{Admin, Caller, Verified};

/// A list of models has a thousand names of 256 characters at most.
pub(super) const LARGEST_BODY: usize = 1024 * 1024;

/// LiteLLM's fields of a new key that mean something here. Any other is refused, since a limit that isn't kept is worse than none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    key_alias: Option<String>,
    team_id: Option<String>,
    user_id: Option<String>,
    user_role: Option<String>,
    models: Option<Vec<String>>,
    rpm_limit: Option<u32>,
    tpm_limit: Option<u32>,
    duration: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    tags: Option<Vec<String>>,
}

/// LiteLLM's words for which no such field exists yet: they get an answer of their own.
const NOT_YET: &[&str] = &[
    "agent_id",
    "aliases",
    "allowed_cache_controls",
    "allowed_routes",
    "auto_rotate",
    "blocked",
    "budget_duration",
    "budget_id",
    "budget_limits",
    "config",
    "enforced_params",
    "guardrails",
    "key",
    "key_type",
    "max_budget",
    "max_parallel_requests",
    "model_max_budget",
    "model_rpm_limit",
    "model_tpm_limit",
    "object_permission",
    "organization_id",
    "permissions",
    "policies",
    "project_id",
    "rotation_interval",
    "soft_budget",
    "spend",
    "tpd_limit",
];

/// What is told of a key.
#[derive(Serialize)]
pub(super) struct Shown {
    /// The key itself: in the answer to its making, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    key_id: String,
    key_alias: Option<String>,
    team_id: Option<String>,
    user_id: Option<String>,
    user_role: &'static str,
    /// Empty for all, as in LiteLLM.
    models: Vec<String>,
    rpm_limit: Option<u32>,
    tpm_limit: Option<u32>,
    metadata: BTreeMap<String, String>,
    tags: Vec<String>,
    created_by: String,
    created_at: String,
    expires: Option<String>,
    blocked: bool,
    status: &'static str,
}

#[derive(Serialize)]
pub(super) struct Info {
    key: String,
    info: Shown,
}

#[derive(Serialize)]
pub(super) struct Deleted {
    deleted_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    key_ids: Vec<String>,
    #[serde(default)]
    key_aliases: Vec<String>,
}

/// By which name auth knows the holder of the master key.
const MASTER: &str = "master_key";

const MOST_DELETED: usize = 100;

/// Makes a key. Its rights never exceed its minter's.
pub(super) async fn generate(
    by: &Verified<Admin>,
    keys: &Keys,
    body: &[u8],
) -> Result<Shown, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    let wish: Wish = read(body)?;
    let mut request = KeyRequest::default();
    request.alias = wish.key_alias;
    request.team_id = wish.team_id;
    request.user_id = wish.user_id;
    request.role = wish.user_role.as_deref().map(role).transpose()?;
    // LiteLLM's empty list, and its word for it, mean every model.
    request.models = wish
        .models
        .filter(|models| !models.is_empty())
        .map(|models| {
            if models.iter().any(|model| model == "all-proxy-models") {
                Models::All
            } else {
                Models::Only(models)
            }
        });
    request.limits = limits(wish.rpm_limit, wish.tpm_limit)?;
    request.metadata = wish.metadata.unwrap_or_default();
    request.tags = wish.tags.unwrap_or_default();
    request.duration = wish
        .duration
        .map(|text| text.parse::<Period>())
        .transpose()
        .map_err(|_| {
            invalid(
                "duration",
                "give a number with s, m, h, d, w or mo behind it, such as 30d",
            )
        })?;
    let minted = keys
        .generate(by.principal(), request)
        .await
        .map_err(Refusal::from)?;
    let mut shown = Shown::from(&minted.record);
    shown.key = Some(minted.key.expose_secret().to_owned());
    Ok(shown)
}

/// Tells of a key: the caller's own, or the one that `key_id` in the query names.
pub(super) async fn info(by: &Verified<Caller>, keys: &Keys, query: &str) -> Result<Info, Refusal> {
    let mut which = by.principal().key_id().to_owned();
    for (name, value) in query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    {
        // A key in a URL lies in every log on its way; whoever sends one should hear of it.
        if percent_decode_str(value)
            .decode_utf8_lossy()
            .contains("sk-")
        {
            return Err(invalid(
                "key",
                "a key has no place in a URL: send it as the bearer to ask for itself, or name it by `key_id`; and replace this one, which logs may hold now",
            ));
        }
        match name {
            "key_id" | "key"
                if value
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'%') =>
            {
                value.clone_into(&mut which)
            }
            "key_id" | "key" => return Err(Error::NotFound.into()),
            _ => return Err(invalid("query", "only `key_id` is known here")),
        }
    }
    if which == MASTER {
        return Err(invalid(
            "key_id",
            "the master key has no record: name a key by `key_id`",
        ));
    }
    let record = keys
        .info(by.principal(), &which)
        .await
        .map_err(Refusal::from)?;
    Ok(Info {
        key: record.key_id.to_string(),
        info: Shown::from(&record),
    })
}

/// Takes keys back for good. Their records stay, for the books.
pub(super) async fn delete(
    by: &Verified<Admin>,
    keys: &Keys,
    body: &[u8],
) -> Result<Deleted, Refusal> {
    let which: Which = read(body)?;
    let mut asked: Vec<String> = which.keys.into_iter().chain(which.key_ids).collect();
    for alias in which.key_aliases {
        let mut query = bartizan::auth::KeyQuery::default();
        query.alias = Some(alias);
        let found = keys
            .list(by.principal(), query)
            .await
            .map_err(Refusal::from)?;
        let live = found.iter().filter(|record| record.revoked_at.is_none());
        let before = asked.len();
        asked.extend(live.map(|record| record.key_id.to_string()));
        if asked.len() == before {
            return Err(Error::NotFound.into());
        }
    }
    if asked.is_empty() || asked.len() > MOST_DELETED {
        return Err(invalid(
            "keys",
            "name 1 to 100 keys by `keys`, `key_ids` or `key_aliases`",
        ));
    }
    // All or none: first every one is looked for.
    for key in &asked {
        keys.info(by.principal(), key)
            .await
            .map_err(Refusal::from)?;
    }
    let mut deleted_keys = Vec::with_capacity(asked.len());
    for key in &asked {
        let revoked = keys
            .revoke(by.principal(), key)
            .await
            .map_err(Refusal::from)?;
        deleted_keys.push(revoked.after.key_id.to_string());
    }
    Ok(Deleted { deleted_keys })
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        // serde's message names the field, and may quote what was sent, which may be a key.
        let said = error.to_string();
        let field = said
            .strip_prefix("unknown field `")
            .and_then(|rest| rest.split_once('`'))
            .map(|(field, _)| field);
        match field {
            Some(field) if NOT_YET.contains(&field) => invalid(
                "body",
                format!("`{field}` is LiteLLM's, and this version does not implement it"),
            ),
            Some(_) => invalid(
                "body",
                "it has a field that is not known here; docs/configuration.md lists them",
            ),
            None => invalid(
                "body",
                format!(
                    "it is not the JSON that belongs here, at line {} column {}",
                    error.line(),
                    error.column()
                ),
            ),
        }
    })
}

fn role(word: &str) -> Result<Role, Refusal> {
    [Role::ProxyAdmin, Role::InternalUser]
        .into_iter()
        .find(|role| role.as_str() == word)
        .ok_or_else(|| invalid("user_role", "it is `proxy_admin` or `internal_user`"))
}

fn limits(rpm: Option<u32>, tpm: Option<u32>) -> Result<Limits, Refusal> {
    if rpm == Some(0) || tpm == Some(0) {
        return Err(invalid(
            "rpm_limit",
            "a limit is at least 1; leave it out for none",
        ));
    }
    Ok(Limits {
        rpm,
        tpm,
        ..Limits::default()
    })
}

fn invalid(param: &'static str, message: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(RefusalKind::BadRequest, "invalid_request", message).param(param)
}

impl From<&KeyRecord> for Shown {
    fn from(record: &KeyRecord) -> Self {
        let rfc3339 =
            |time: Duration| humantime::format_rfc3339_millis(UNIX_EPOCH + time).to_string();
        let status = match record.standing(SystemClock::new().unix()) {
            Standing::Live => "active",
            Standing::Expired => "expired",
            Standing::Blocked => "blocked",
            _ => "revoked",
        };
        Self {
            key: None,
            key_id: record.key_id.to_string(),
            key_alias: record.alias.clone(),
            team_id: record.team_id.clone(),
            user_id: record.user_id.clone(),
            user_role: record.role.as_str(),
            models: match &record.rights.models {
                Models::All => Vec::new(),
                // An empty list would read as all of them.
                Models::Only(names) if names.is_empty() => vec!["no-default-models".to_owned()],
                Models::Only(names) => names.clone(),
            },
            rpm_limit: record.rights.bounds.limits.rpm,
            tpm_limit: record.rights.bounds.limits.tpm,
            metadata: record.metadata.clone(),
            tags: record.tags.clone(),
            created_by: record.created_by.clone(),
            created_at: rfc3339(record.created_at),
            expires: record.expires_at.map(rfc3339),
            blocked: record.blocked,
            status,
        }
    }
}
