//! Keys: mints them, changes them, shows them, takes them back.

mod shown;
mod wish;

use bartizan_auth::{Error, KeyId, KeyQuery, Keys, MintedKey};
use bartizan_core::Refusal;
use bartizan_limit::spend::SpendScope;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::capability::{
    BlockKey, GenerateKey, Permitted, RegenerateKey, RevokeKey, SeeKeys, UpdateKey,
};
use crate::done::Done;
use crate::page::{Size, cut};
use crate::read::invalid;
use crate::rights::period;
use crate::routes::{Routes, Verbs};
use crate::spend::Spender;
use shown::{KeyMinted, KeyShown};
use wish::{KeyGenerate, KeyNamed, KeyRegenerate, KeyUpdate, KeysNamed};

pub(crate) fn routes(routes: Routes) -> Routes {
    use Verbs::Post;
    routes
        .change(Post, "/key/generate", "Mints a key", generate)
        .change(Post, "/key/update", "Changes a key", update)
        .change(Post, "/key/delete", "Takes keys back for good", delete)
        .change(
            Post,
            "/key/regenerate",
            "Gives a key another text",
            regenerate,
        )
        .change(
            Post,
            "/key/{key_id}/regenerate",
            "Gives a key another text",
            regenerate,
        )
        .change(Post, "/key/block", "Blocks a key", block)
        .change(Post, "/key/unblock", "Unblocks a key", unblock)
        .see("/key/info", "Shows a key", info)
        .see("/key/list", "Shows a page of keys", list)
}

async fn generate(
    keys: Keys,
    by: Permitted<GenerateKey>,
    wish: KeyGenerate,
) -> Result<Done<KeyMinted>, Refusal> {
    let minted = keys.generate(by.principal(), wish.request()?).await?;
    told(&minted, None)
}

async fn update(
    keys: Keys,
    by: Permitted<UpdateKey>,
    wish: KeyUpdate,
) -> Result<Done<KeyShown>, Refusal> {
    let (which, change, seen) = wish.change()?;
    let changed = keys.update(by.principal(), &which, change, seen).await?;
    let (before, after) = (KeyShown::of(&changed.before), KeyShown::of(&changed.after));
    let id = changed.after.key_id.as_str();
    Done::new(after.clone()).touch(id, Some(&before), Some(&after))
}

#[derive(Serialize, ToSchema)]
struct DeletedKeys {
    /// Their public names.
    deleted_keys: Vec<String>,
}

const MOST_DELETED: usize = 100;

async fn delete(
    keys: Keys,
    by: Permitted<RevokeKey>,
    which: KeysNamed,
) -> Result<Done<DeletedKeys>, Refusal> {
    let mut asked: Vec<String> = which.keys.into_iter().chain(which.key_ids).collect();
    for alias in which.key_aliases {
        let mut query = KeyQuery::default();
        query.alias = Some(alias);
        let found = keys.list(by.principal(), query).await?;
        if found.is_empty() {
            return Err(Error::NotFound.into());
        }
        asked.extend(found.iter().map(|record| record.key_id.to_string()));
    }
    if asked.is_empty() || asked.len() > MOST_DELETED {
        return Err(invalid(
            "keys",
            "name 1 to 100 keys by `keys`, `key_ids` or `key_aliases`",
        ));
    }
    // All or none: first every one is looked for.
    for key in &asked {
        keys.info(by.principal(), key).await?;
    }
    let mut deleted_keys = Vec::with_capacity(asked.len());
    let mut touched = Vec::with_capacity(asked.len());
    for key in &asked {
        let revoked = keys.revoke(by.principal(), key).await?;
        deleted_keys.push(revoked.after.key_id.to_string());
        touched.push((KeyShown::of(&revoked.before), KeyShown::of(&revoked.after)));
    }
    let ids = deleted_keys.clone();
    let mut done = Done::new(DeletedKeys { deleted_keys });
    for (id, (before, after)) in ids.iter().zip(&touched) {
        done = done.touch(id, Some(before), Some(after))?;
    }
    Ok(done)
}

async fn regenerate(
    keys: Keys,
    by: Permitted<RegenerateKey>,
    wish: KeyRegenerate,
) -> Result<Done<KeyMinted>, Refusal> {
    let which = wish
        .key
        .or(wish.key_id)
        .unwrap_or_else(|| by.principal().key_id().to_owned());
    let grace = wish.grace_period.map(|text| period("grace_period", &text));
    let before = keys.info(by.principal(), &which).await?;
    let minted = keys
        .regenerate(by.principal(), &which, grace.transpose()?)
        .await?;
    told(&minted, Some(&KeyShown::of(&before)))
}

async fn block(
    keys: Keys,
    by: Permitted<BlockKey>,
    which: KeyNamed,
) -> Result<Done<KeyShown>, Refusal> {
    set_blocked(&keys, &by, which, true).await
}

async fn unblock(
    keys: Keys,
    by: Permitted<BlockKey>,
    which: KeyNamed,
) -> Result<Done<KeyShown>, Refusal> {
    set_blocked(&keys, &by, which, false).await
}

async fn set_blocked(
    keys: &Keys,
    by: &Permitted<BlockKey>,
    which: KeyNamed,
    blocked: bool,
) -> Result<Done<KeyShown>, Refusal> {
    let which = which.name()?;
    let changed = keys.set_blocked(by.principal(), &which, blocked).await?;
    let (before, after) = (KeyShown::of(&changed.before), KeyShown::of(&changed.after));
    let id = changed.after.key_id.as_str();
    Done::new(after.clone()).touch(id, Some(&before), Some(&after))
}

/// A key's text, told this once.
fn told(minted: &MintedKey, before: Option<&KeyShown>) -> Result<Done<KeyMinted>, Refusal> {
    let shown = KeyShown::of(&minted.record);
    let answer = KeyMinted {
        key: minted.key.expose_secret().to_owned(),
        shown: shown.clone(),
    };
    Done::new(answer).touch(minted.record.key_id.as_str(), before, Some(&shown))
}

/// KeysNamed key to show.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskedOne {
    /// Its public name; the caller's own by default. The same as `key_id`.
    #[serde(default)]
    key: Option<String>,
    /// Its public name.
    #[serde(default)]
    key_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct KeyInfo {
    /// Its public name.
    key: String,
    info: Spender<KeyShown>,
}

async fn info(keys: Keys, by: Permitted<SeeKeys>, asked: AskedOne) -> Result<KeyInfo, Refusal> {
    let own = || by.principal().key_id().to_owned();
    let which = asked.key.or(asked.key_id).unwrap_or_else(own);
    let record = keys.info(by.principal(), &which).await?;
    let key = record.key_id.to_string();
    let scope = SpendScope {
        key: Some(key.clone()),
        ..SpendScope::default()
    };
    Ok(KeyInfo {
        info: Spender::new(KeyShown::of(&record), by.spend(), scope).await,
        key,
    })
}

/// KeysNamed keys to show.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// Those of this team.
    team_id: Option<String>,
    /// Those of this user.
    user_id: Option<String>,
    /// Those of this organization.
    organization_id: Option<String>,
    /// The one of this alias.
    key_alias: Option<String>,
    /// Revoked ones too.
    revoked: bool,
    /// Those after this one: `next` of the page before.
    after: Option<String>,
    /// How many; 100 by default, 500 at most.
    #[schema(minimum = 1, maximum = 500)]
    size: Option<u16>,
}

#[derive(Serialize, ToSchema)]
struct KeyPage {
    keys: Vec<KeyShown>,
    /// `after` of the next page; `null` where there is none.
    next: Option<String>,
}

async fn list(keys: Keys, by: Permitted<SeeKeys>, asked: Asked) -> Result<KeyPage, Refusal> {
    let size = Size::read(asked.size)?;
    let mut query = KeyQuery::default();
    query.team_id = asked.team_id;
    query.user_id = asked.user_id;
    query.organization_id = asked.organization_id;
    query.alias = asked.key_alias;
    query.revoked = asked.revoked;
    query.limit = size.and_one();
    query.after = match asked.after {
        None => None,
        Some(after) => Some(
            KeyId::parse(&after)
                .ok_or_else(|| invalid("after", "`after` is `next` of the page before"))?,
        ),
    };
    let mut found = keys.list(by.principal(), query).await?;
    let next = cut(&mut found, size, |record| record.key_id.to_string());
    Ok(KeyPage {
        keys: found.iter().map(KeyShown::of).collect(),
        next,
    })
}
