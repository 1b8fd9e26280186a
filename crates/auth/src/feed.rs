//! How processes tell each other of changes.
//!
//! A key that is blocked in one process serves in another until what that one remembers of it ends: 30 seconds, unless told otherwise. A feed
//! makes it milliseconds: [`Keys::follow`](crate::Keys::follow) forgets what a feed tells of. Where the database is PostgreSQL,
//! `PostgresChanges` hears of every change, one made by hand with `psql` too; elsewhere, `RedisChanges` carries what each process announces.
//! Feeds carry names of keys and accounts and nothing else, and a feed that is away costs no more than those 30 seconds.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "postgres")]
pub use postgres::PostgresChanges;
#[cfg(feature = "redis")]
pub use redis::RedisChanges;

use std::time::Duration;

use crate::account::{AccountId, AccountKind};
use crate::key::KeyId;
use crate::store::Change;

/// How long a feed may be silent before it is asked whether it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long it may take to say so, or to be taken up.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a change is called on a channel. PostgreSQL's triggers write the same.
#[cfg(any(feature = "redis", test))]
fn name(change: &Change) -> String {
    match change {
        Change::Key(key_id) => format!("key:{key_id}"),
        Change::Account(id) => format!("account:{}:{}", id.kind.as_str(), id.id),
        Change::Anything => "anything".to_owned(),
    }
}

/// What can't be read may be about anything.
fn read(name: &str) -> Change {
    let change = match name.split_once(':') {
        Some(("key", key_id)) => KeyId::parse(key_id).map(Change::Key),
        Some(("account", rest)) => rest.split_once(':').and_then(|(kind, id)| {
            Some(Change::Account(AccountId::new(
                AccountKind::parse(kind)?,
                id,
            )))
        }),
        _ => None,
    };
    change.unwrap_or(Change::Anything)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_as_it_was_meant() {
        let mut changes = vec![Change::Anything, Change::Key(KeyId::generate().unwrap())];
        for kind in AccountKind::ALL {
            for id in ["search", "", "a:b:key:c", "ü 🗝\n"] {
                changes.push(Change::Account(AccountId::new(kind, id)));
            }
        }
        for change in changes {
            assert_eq!(read(&name(&change)), change);
        }
    }

    #[test]
    fn what_is_not_understood_may_be_anything() {
        for name in [
            "",
            "key:",
            "key:sk-bz-1",
            "account:team",
            "account:galaxy:1",
            "of a newer version:1",
        ] {
            assert_eq!(read(name), Change::Anything, "{name}");
        }
    }
}
