//! What organizations, teams and users have in common.

use bartizan_auth::{Account, AccountId, AccountKind, Changed, Error, Keys, Metadata};
use bartizan_core::{Principal, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::done::Done;
use crate::read::invalid;
use crate::rights::{ShownRights, moment};

/// What is shown of an account of any kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AccountShown {
    #[serde(flatten)]
    rights: ShownRights,
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    metadata: Metadata,
    blocked: bool,
    /// The public name of the key that made it.
    created_by: String,
    created_at: String,
    updated_at: String,
    /// When it was deleted. Its name stays taken.
    deleted_at: Option<String>,
    /// To be sent with a change, so that nothing is changed that somebody else has changed meanwhile.
    version: u64,
}

impl From<&Account> for AccountShown {
    fn from(account: &Account) -> Self {
        Self {
            rights: ShownRights::from(&account.rights),
            metadata: account.metadata.clone(),
            blocked: account.blocked,
            created_by: account.created_by.clone(),
            created_at: moment(account.created_at),
            updated_at: moment(account.updated_at),
            deleted_at: account.deleted_at.map(moment),
            version: account.version,
        }
    }
}

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountsDeleted {
    /// Their names.
    pub(crate) deleted: Vec<String>,
}

const MOST_DELETED: usize = 100;

/// Deletes all of those accounts, or none where one can't be seen.
pub(crate) async fn delete_all<S: Serialize>(
    keys: &Keys,
    by: &Principal,
    kind: AccountKind,
    ids: Vec<String>,
    shown: impl Fn(&Account) -> S,
) -> Result<Done<AccountsDeleted>, Refusal> {
    if ids.is_empty() || ids.len() > MOST_DELETED {
        return Err(invalid("body", "name 1 to 100 of them"));
    }
    let named: Vec<AccountId> = ids
        .iter()
        .map(|id| AccountId::new(kind, id.clone()))
        .collect();
    for id in &named {
        keys.account(by, id).await?;
    }
    let mut done = Done::new(AccountsDeleted { deleted: ids });
    for id in &named {
        let changed = keys.delete_account(by, id).await?;
        let (before, after) = (shown(&changed.before), shown(&changed.after));
        done = done.touch(&id.id, Some(&before), Some(&after))?;
    }
    Ok(done)
}

/// The answer to a change of an account.
pub(crate) fn done<S: Serialize + Clone>(
    changed: Result<Changed<Account>, Error>,
    shown: impl Fn(&Account) -> S,
) -> Result<Done<S>, Refusal> {
    let changed = changed?;
    let (before, after) = (shown(&changed.before), shown(&changed.after));
    let id = &changed.after.id.id;
    Done::new(after.clone()).touch(id, Some(&before), Some(&after))
}

/// What is asked for in fields that accounts of one kind alone have.
pub(crate) trait Extra<R> {
    /// Puts it into the request.
    fn extra(&mut self, request: &mut R) -> Result<(), Refusal> {
        let _ = request;
        Ok(())
    }
}

/// Defines what is asked for about accounts of a kind, the handlers that do it, and their routes. Besides, a kind has a `Shown`, and [`Extra`].
macro_rules! account {
    (
        $kind:ident, $shown:ident, at $at:literal, one $one:literal, all $all:literal, id $id:ident, ids $ids:ident, alias $alias:ident, info $info:ident, list $list:ident,
        needs [$see:ident, $create:ident, $update:ident, $bound:ident, $delete:ident],
        new $new:ident { $($new_fields:tt)* }
        change $change:ident { $($change_fields:tt)* }
        types [$named:ident, $all_named:ident, $asked:ident, $told:ident, $page:ident]
    ) => {
        const KIND: bartizan_auth::AccountKind = bartizan_auth::AccountKind::$kind;

        fn account_routes(routes: Routes) -> Routes {
            use crate::routes::Verbs::{Post, PostOrDelete, PostOrPatch};
            routes
                .change(Post, concat!("/", $at, "/new"), concat!("Makes ", $one), create)
                .change(PostOrPatch, concat!("/", $at, "/update"), concat!("Changes ", $one), update)
                .change(PostOrDelete, concat!("/", $at, "/delete"), concat!("Deletes ", $all, ", and revokes their keys"), delete)
                .change(Post, concat!("/", $at, "/block"), concat!("Blocks ", $one, ", and with it every key in it"), block)
                .change(Post, concat!("/", $at, "/unblock"), concat!("Unblocks ", $one), unblock)
                .see(concat!("/", $at, "/info"), concat!("Shows ", $one), info)
                .see(concat!("/", $at, "/list"), concat!("Shows a page of ", $all), list)
        }

        crate::rights::wish! {
            /// What a new one is to be. What is left out or `null` means no restriction.
            $new {
                /// Its name; one is drawn by default.
                $id: Option<String>,
                /// The name that people give it.
                $alias: Option<String>,
                $($new_fields)*
            }
        }

        crate::rights::wish! {
            /// What is to change. What is left out stays; `null` takes it away.
            $change {
                /// Which one.
                #[schema(value_type = String, required)]
                $id: Option<String>,
                /// The version that the caller saw: with another, nothing is changed (409).
                version: Option<u64>,
                /// The name that people give it.
                #[serde(deserialize_with = "crate::rights::told")]
                #[schema(value_type = Option<String>)]
                $alias: crate::rights::Told<String>,
                $($change_fields)*
            }
        }

        /// Which one.
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        struct $named {
            /// Its name.
            $id: String,
        }

        /// Which ones.
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        struct $all_named {
            /// Their names, 100 at most.
            $ids: Vec<String>,
        }

        /// Which ones to show.
        #[derive(Default, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields, default)]
        struct $asked {
            /// Those of this organization.
            organization_id: Option<String>,
            /// Those that have this user as a member.
            member: Option<String>,
            /// The one of this alias.
            $alias: Option<String>,
            /// Deleted ones too.
            deleted: bool,
            /// Those after this one: `next` of the page before.
            after: Option<String>,
            /// How many; 100 by default, 500 at most.
            #[schema(minimum = 1, maximum = 500)]
            size: Option<u16>,
        }

        #[derive(serde::Serialize, utoipa::ToSchema)]
        struct $told {
            /// Its name.
            $id: String,
            $info: crate::spend::Spender<$shown>,
        }

        #[derive(serde::Serialize, utoipa::ToSchema)]
        struct $page {
            $list: Vec<$shown>,
            /// `after` of the next page; `null` where there is none.
            next: Option<String>,
        }

        impl crate::routes::Wish for $new {
            fn targets(&self) -> Vec<&str> {
                self.$id.iter().map(String::as_str).collect()
            }
        }

        impl crate::routes::Wish for $change {
            fn targets(&self) -> Vec<&str> {
                self.$id.iter().map(String::as_str).collect()
            }
        }

        impl crate::routes::Wish for $named {
            fn targets(&self) -> Vec<&str> {
                vec![&self.$id]
            }
        }

        impl crate::routes::Wish for $all_named {
            fn targets(&self) -> Vec<&str> {
                self.$ids.iter().map(String::as_str).collect()
            }
        }

        fn named(id: impl Into<String>) -> bartizan_auth::AccountId {
            bartizan_auth::AccountId::new(KIND, id)
        }

        async fn create(
            keys: Keys,
            by: Permitted<crate::capability::$create>,
            mut wish: $new,
        ) -> Result<Done<$shown>, Refusal> {
            let mut request = bartizan_auth::AccountRequest::new(KIND);
            wish.rights()?.apply(&mut request.rights);
            request.metadata = wish.metadata().unwrap_or_default();
            request.blocked = wish.blocked().unwrap_or_default();
            request.id = wish.$id.take();
            request.alias = wish.$alias.take();
            wish.extra(&mut request)?;
            let account = keys.create_account(by.principal(), request).await?;
            let shown = $shown::of(&account);
            Done::new(shown.clone()).touch(&account.id.id, None, Some(&shown))
        }

        async fn update(
            keys: Keys,
            by: Permitted<crate::capability::$update>,
            mut wish: $change,
        ) -> Result<Done<$shown>, Refusal> {
            let field = stringify!($id);
            let id = wish
                .$id
                .take()
                .ok_or_else(|| crate::read::invalid(field, concat!("`", stringify!($id), "` is missing")))?;
            let mut change = bartizan_auth::AccountChange::default();
            change.rights = wish.rights()?;
            change.metadata = wish.metadata();
            change.blocked = wish.blocked();
            change.alias = wish.$alias.take();
            wish.extra(&mut change)?;
            let changed = keys
                .update_account(by.principal(), &named(id), change, wish.version)
                .await;
            crate::account::done(changed, $shown::of)
        }

        async fn delete(
            keys: Keys,
            by: Permitted<crate::capability::$delete>,
            wish: $all_named,
        ) -> Result<Done<crate::account::AccountsDeleted>, Refusal> {
            crate::account::delete_all(&keys, by.principal(), KIND, wish.$ids, $shown::of).await
        }

        async fn block(
            keys: Keys,
            by: Permitted<crate::capability::$bound>,
            wish: $named,
        ) -> Result<Done<$shown>, Refusal> {
            let id = named(wish.$id);
            crate::account::done(keys.set_account_blocked(by.principal(), &id, true).await, $shown::of)
        }

        async fn unblock(
            keys: Keys,
            by: Permitted<crate::capability::$bound>,
            wish: $named,
        ) -> Result<Done<$shown>, Refusal> {
            let id = named(wish.$id);
            crate::account::done(keys.set_account_blocked(by.principal(), &id, false).await, $shown::of)
        }

        async fn info(
            keys: Keys,
            by: Permitted<crate::capability::$see>,
            asked: $named,
        ) -> Result<$told, Refusal> {
            let account = keys.account(by.principal(), &named(asked.$id)).await?;
            let shown = $shown::of(&account);
            let (spend, scope) = crate::spend::of_account(&account.id, by.reach(), by.spend());
            Ok($told {
                $info: crate::spend::Spender::new(shown, spend, scope).await,
                $id: account.id.id,
            })
        }

        async fn list(
            keys: Keys,
            by: Permitted<crate::capability::$see>,
            asked: $asked,
        ) -> Result<$page, Refusal> {
            let size = crate::page::Size::read(asked.size)?;
            let mut query = bartizan_auth::AccountQuery::new(KIND);
            query.organization_id = asked.organization_id;
            query.member = asked.member;
            query.alias = asked.$alias;
            query.deleted = asked.deleted;
            query.after = asked.after;
            query.limit = size.and_one();
            let mut found = keys.list_accounts(by.principal(), query).await?;
            let next = crate::page::cut(&mut found, size, |account| account.id.id.clone());
            Ok($page {
                $list: found.iter().map($shown::of).collect(),
                next,
            })
        }
    };
}
pub(crate) use account;
