//! What the service over a store promises.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::time::Duration;

use bartizan_auth::{Denied, Error, KeyQuery, KeyRequest, MemoryStore};
use bartizan_core::{Identity, Limits, ManualClock, Models, Principal, Role};
use secrecy::ExposeSecret;
use support::{Fault, FaultyStore, admin, clock, keys};

fn request(edit: impl FnOnce(&mut KeyRequest)) -> KeyRequest {
    let mut request = KeyRequest::default();
    edit(&mut request);
    request
}

#[tokio::test]
async fn a_minted_key_opens_with_all_that_was_asked_for() {
    let keys = keys(MemoryStore::new(), &clock());
    let minted = keys
        .generate(
            &admin(),
            request(|request| {
                request.alias = Some("search-prod".into());
                request.team_id = Some("search".into());
                request.user_id = Some("robin".into());
                request.models = Some(Models::Only(vec!["gpt-4o".into()]));
                request.limits = Limits {
                    rpm: Some(3),
                    tpm: Some(500),
                    ..Limits::default()
                };
                request.metadata.insert("cost_centre".into(), "17".into());
                request.tags.push("prod".into());
            }),
        )
        .await
        .unwrap();
    let principal = keys.verify(minted.key.expose_secret()).await.unwrap();
    assert_eq!(principal.key_id(), minted.record.key_id.as_str());
    assert_eq!(principal.key_alias(), Some("search-prod"));
    assert_eq!(principal.team_id(), Some("search"));
    assert_eq!(principal.user_id(), Some("robin"));
    assert_eq!(principal.role(), Role::InternalUser);
    assert_eq!(principal.models(), &Models::Only(vec!["gpt-4o".into()]));
    assert_eq!(
        principal.limits(),
        Limits {
            rpm: Some(3),
            tpm: Some(500),
            ..Limits::default()
        }
    );
    assert_eq!(
        principal.metadata().get("cost_centre").map(String::as_str),
        Some("17")
    );
    assert_eq!(principal.tags(), ["prod"]);
    assert_eq!(minted.record.created_by, "master_key");
}

#[tokio::test]
async fn delegation_narrows() {
    let keys = keys(MemoryStore::new(), &clock());
    let member = keys
        .generate(
            &admin(),
            request(|request| {
                request.user_id = Some("robin".into());
                request.models = Some(Models::Only(vec![
                    "gpt-4o*".into(),
                    "claude-haiku-4-5".into(),
                ]));
                request.limits = Limits {
                    rpm: Some(10),
                    tpm: None,
                    ..Limits::default()
                };
                request.duration = Some("1h".parse().unwrap());
            }),
        )
        .await
        .unwrap();
    let member_key = member.key;
    let (member, member_record) = (
        keys.verify(member_key.expose_secret()).await.unwrap(),
        member.record,
    );

    let child = keys
        .generate(
            &member,
            request(|request| {
                request.role = Some(Role::ProxyAdmin);
                request.models = Some(Models::Only(vec![
                    "gpt-4o-mini".into(),
                    "o3".into(),
                    "claude-*".into(),
                ]));
                request.limits = Limits {
                    rpm: Some(1_000),
                    tpm: Some(50),
                    ..Limits::default()
                };
                request.duration = Some("30d".parse().unwrap());
            }),
        )
        .await
        .unwrap()
        .record;
    assert_eq!(child.role, Role::InternalUser);
    assert_eq!(
        child.rights.models,
        Models::Only(vec!["gpt-4o-mini".into(), "claude-haiku-4-5".into()])
    );
    assert_eq!(
        child.rights.bounds.limits,
        Limits {
            rpm: Some(10),
            tpm: Some(50),
            ..Limits::default()
        }
    );
    assert_eq!(child.expires_at, member_record.expires_at);
    assert_eq!(child.user_id.as_deref(), Some("robin"));
    assert_eq!(child.created_by, member.key_id());

    let unasked = keys
        .generate(&member, KeyRequest::default())
        .await
        .unwrap()
        .record;
    assert_eq!(unasked.rights.models, member_record.rights.models);
    assert_eq!(unasked.expires_at, member_record.expires_at);

    for steal in [
        request(|request| request.user_id = Some("kim".into())),
        request(|request| request.team_id = Some("finance".into())),
    ] {
        assert!(matches!(
            keys.generate(&member, steal).await,
            Err(Error::Forbidden(_))
        ));
    }
}

#[tokio::test]
async fn only_a_key_of_good_standing_mints() {
    let keys = keys(MemoryStore::new(), &clock());
    let minted = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let member = keys.verify(minted.key.expose_secret()).await.unwrap();
    keys.revoke(&admin(), minted.record.key_id.as_str())
        .await
        .unwrap();
    // The principal is from before; the key is not.
    assert!(matches!(
        keys.generate(&member, KeyRequest::default()).await,
        Err(Error::Forbidden(_))
    ));
    let stranger = Principal::assume_verified(Identity::new("jwt:somebody"));
    assert!(matches!(
        keys.generate(&stranger, KeyRequest::default()).await,
        Err(Error::Forbidden(_))
    ));
}

#[tokio::test]
async fn fields_out_of_range_are_refused_by_name() {
    let keys = keys(MemoryStore::new(), &clock());
    let long = "x".repeat(257);
    let cases = [
        (
            "key_alias",
            request(|request| request.alias = Some(long.clone())),
        ),
        (
            "key_alias",
            request(|request| request.alias = Some(String::new())),
        ),
        (
            "team_id",
            request(|request| request.team_id = Some("a\nb".into())),
        ),
        (
            "user_id",
            request(|request| request.user_id = Some("\0".into())),
        ),
        (
            "metadata",
            request(|request| drop(request.metadata.insert(long.clone(), "".into()))),
        ),
        (
            "tags",
            request(|request| request.tags = vec![String::new(); 65]),
        ),
        (
            "models",
            request(|request| request.models = Some(Models::Only(vec![String::new(); 1_001]))),
        ),
    ];
    for (field, request) in cases {
        match keys.generate(&admin(), request).await {
            Err(Error::Invalid { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_at_once_although_it_was_cached() {
    let (store, clock) = (FaultyStore::new(MemoryStore::new()), clock());
    let keys = keys(store.clone(), &clock);
    let minted = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let key = minted.key.expose_secret();
    keys.verify(key).await.unwrap();
    keys.verify(key).await.unwrap();
    assert_eq!(store.lookups(), 1, "the second lookup is cached");

    keys.clone().revoke(&admin(), key).await.unwrap();
    assert!(matches!(keys.verify(key).await, Err(Denied::Revoked)));
    // Not even with the store away, when the cache is all there is.
    store.fail(Fault::Error);
    clock.advance(Duration::from_secs(1));
    assert!(keys.verify(key).await.is_err());
}

#[tokio::test]
async fn blocking_unblocking_and_purging_take_effect_at_once() {
    let keys = keys(MemoryStore::new(), &clock());
    let minted = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let (key, key_id) = (minted.key.expose_secret(), minted.record.key_id.as_str());
    let member = keys.verify(key).await.unwrap();
    keys.set_blocked(&admin(), key_id, true).await.unwrap();
    assert!(matches!(keys.verify(key).await, Err(Denied::Blocked)));
    assert!(matches!(
        keys.set_blocked(&member, key_id, false).await,
        Err(Error::Forbidden(_))
    ));
    keys.set_blocked(&admin(), key_id, false).await.unwrap();
    keys.verify(key).await.unwrap();
    assert!(matches!(
        keys.purge(&member, key_id).await,
        Err(Error::Forbidden(_))
    ));
    keys.purge(&admin(), key_id).await.unwrap();
    assert!(matches!(keys.verify(key).await, Err(Denied::Unknown)));
    assert!(matches!(
        keys.purge(&admin(), key_id).await,
        Err(Error::NotFound)
    ));
}

#[tokio::test]
async fn cached_keys_outlive_the_store_by_the_ttl_and_no_longer() {
    let (store, clock) = (FaultyStore::new(MemoryStore::new()), clock());
    let keys = keys(store.clone(), &clock);
    let used = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap()
        .key;
    let unused = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap()
        .key;
    keys.verify(used.expose_secret()).await.unwrap();
    for fault in [Fault::Error, Fault::Hang] {
        store.fail(fault);
        assert!(
            matches!(
                keys.verify(unused.expose_secret()).await,
                Err(Denied::Unchecked(_))
            ),
            "{fault:?}"
        );
        keys.verify(used.expose_secret()).await.unwrap();
    }
    clock.advance(Duration::from_secs(30) - Duration::from_nanos(1));
    keys.verify(used.expose_secret()).await.unwrap();
    clock.advance(Duration::from_nanos(1));
    assert!(matches!(
        keys.verify(used.expose_secret()).await,
        Err(Denied::Unchecked(_))
    ));
    store.fail(Fault::None);
    keys.verify(used.expose_secret()).await.unwrap();
}

#[tokio::test]
async fn an_expired_key_opens_nothing_although_it_is_cached() {
    let clock = clock();
    let keys = keys(MemoryStore::new(), &clock);
    let minted = keys
        .generate(
            &admin(),
            request(|request| request.duration = Some("10s".parse().unwrap())),
        )
        .await
        .unwrap();
    clock.advance(Duration::from_millis(9_999));
    keys.verify(minted.key.expose_secret()).await.unwrap();
    clock.advance(Duration::from_millis(1));
    assert!(matches!(
        keys.verify(minted.key.expose_secret()).await,
        Err(Denied::Expired)
    ));
}

#[tokio::test]
async fn a_store_that_mixes_up_its_rows_lets_nobody_in() {
    let memory = MemoryStore::new();
    let theirs = keys(memory.clone(), &clock())
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap()
        .record;
    let store = FaultyStore::new(memory).answering(theirs);
    let keys = keys(store.clone(), &clock());
    let ours = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap()
        .key;
    store.fail(Fault::OthersKey);
    assert!(matches!(
        keys.verify(ours.expose_secret()).await,
        Err(Denied::Unchecked(_))
    ));
}

#[tokio::test]
async fn a_stored_digest_is_no_credential() {
    let keys = keys(MemoryStore::new(), &clock());
    let record = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap()
        .record;
    let hex: String = record
        .digest
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for text in [
        hex.clone(),
        format!("sk-bz-{hex}"),
        format!("sk-{hex}"),
        format!("sk-bz-{}", &hex[..49]),
    ] {
        assert!(matches!(keys.verify(&text).await, Err(Denied::Unknown)));
        assert!(matches!(
            keys.info(&admin(), &text).await,
            Err(Error::NotFound)
        ));
    }
}

#[tokio::test]
async fn members_see_and_revoke_their_own_keys_only() {
    let keys = keys(MemoryStore::new(), &clock());
    let theirs = |user: &str| request(|request| request.user_id = Some(user.to_owned()));
    let robin = keys.generate(&admin(), theirs("robin")).await.unwrap();
    let robins_other = keys
        .generate(&admin(), theirs("robin"))
        .await
        .unwrap()
        .record;
    let kim = keys.generate(&admin(), theirs("kim")).await.unwrap().record;
    let nobodys = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let viewer = keys.verify(robin.key.expose_secret()).await.unwrap();

    keys.info(&viewer, robin.record.key_id.as_str())
        .await
        .unwrap();
    keys.info(&viewer, robins_other.key_id.as_str())
        .await
        .unwrap();
    for hidden in [
        kim.key_id.as_str(),
        nobodys.record.key_id.as_str(),
        nobodys.key.expose_secret(),
    ] {
        assert!(matches!(
            keys.info(&viewer, hidden).await,
            Err(Error::NotFound)
        ));
        assert!(matches!(
            keys.revoke(&viewer, hidden).await,
            Err(Error::NotFound)
        ));
    }
    assert_eq!(
        keys.list(&viewer, KeyQuery::default()).await.unwrap().len(),
        2
    );
    assert_eq!(
        keys.list(&admin(), KeyQuery::default())
            .await
            .unwrap()
            .len(),
        4
    );
    keys.revoke(&viewer, robins_other.key_id.as_str())
        .await
        .unwrap();
    assert_eq!(
        keys.list(&viewer, KeyQuery::default()).await.unwrap().len(),
        1
    );

    // A viewer without a user must not see the keys that have none either.
    let other = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap()
        .record;
    let viewer = keys.verify(nobodys.key.expose_secret()).await.unwrap();
    assert!(matches!(
        keys.info(&viewer, other.key_id.as_str()).await,
        Err(Error::NotFound)
    ));
    assert_eq!(
        keys.list(&viewer, KeyQuery::default()).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn debug_and_errors_show_no_key() {
    let keys = keys(MemoryStore::new(), &clock());
    let minted = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let key = minted.key.expose_secret();
    let shown = format!(
        "{minted:?} {keys:?} {:?} {:?}",
        minted.record,
        keys.verify(&format!("{key}x")).await
    );
    assert!(!shown.contains(&key[6..20]), "{shown}");
}

#[test]
fn a_manual_clock_is_shared_with_the_service() {
    // Guards the tests above: a clone that ran apart would make every expiry test vacuous.
    let clock: ManualClock = clock();
    let clone = clock.clone();
    clone.advance(Duration::from_secs(1));
    assert_eq!(
        bartizan_core::Clock::unix(&clock),
        Duration::from_secs(1_700_000_001)
    );
}
