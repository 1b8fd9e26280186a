//! Keys in a store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bartizan_auth::{
    Addresses, KeyId, KeyQuery, KeyRecord, KeyStore, Minter, Previous, Rotation, Routes,
    StoreError, Viewer,
};
use bartizan_core::{Bounds, Budget, KeyType, Limits, Models, Role};

use super::{HOSTILE, NOW, digest, key, noted};

pub(crate) async fn behave(store: impl KeyStore + Clone) {
    keeps_every_field(&store).await;
    takes_nothing_twice(&store).await;
    finds_by_the_previous_digest_too(&store).await;
    gives_a_lineage(&store).await;
    loses_no_update(&store).await;
    keeps_what_is_revoked_so(&store).await;
    filters(&store).await;
    pages(&store).await;
    removes(&store).await;
}

async fn one(store: &impl KeyStore, key_id: &KeyId) -> Option<KeyRecord> {
    store.get(std::slice::from_ref(key_id)).await.unwrap().pop()
}

fn minter(text: &str) -> Minter {
    Minter {
        user_id: Some(text.to_owned()),
        team_id: None,
        organization_id: Some(text.to_owned()),
    }
}

/// A record with something in every field, and that something is `text` where it is text.
fn full(text: &str) -> KeyRecord {
    let mut record = key();
    let bounds = Bounds {
        limits: Limits {
            rpm: Some(u32::MAX),
            tpm: Some(0),
            max_parallel_requests: Some(1),
        },
        budget: Budget {
            max_budget: Some("79228162514264337593543950335".parse().unwrap()),
            soft_budget: Some("0.1000".parse().unwrap()),
            budget_duration: Some("1mo".parse().unwrap()),
        },
    };
    record.alias = Some(text.to_owned());
    record.team_id = Some(text.to_owned());
    record.user_id = Some(text.to_owned());
    record.organization_id = Some(text.to_owned());
    record.role = Role::ProxyAdmin;
    record.key_type = KeyType::Management;
    record.rights.models = Models::Only(vec![text.to_owned(), "gpt-*".to_owned()]);
    record.rights.routes = Routes::Only(vec![text.to_owned()]);
    record.rights.addresses = Addresses::Only(vec![
        "10.0.0.0/8".parse().unwrap(),
        "2001:db8::/32".parse().unwrap(),
    ]);
    record.rights.bounds = bounds;
    record.rights.model_bounds = BTreeMap::from([(text.to_owned(), bounds)]);
    record.rights.guardrails = BTreeSet::from([text.to_owned()]);
    record.aliases = BTreeMap::from([(text.to_owned(), text.to_owned())]);
    record.lineage = vec![KeyId::generate().unwrap(), KeyId::generate().unwrap()];
    record.minter = Some(minter(text));
    record.previous = Some(Previous {
        digest: digest(),
        until: NOW + Duration::from_millis(1),
    });
    record.rotation = Some(Rotation {
        interval: "30d".parse().unwrap(),
        next_at: NOW + Duration::from_millis(2),
    });
    record.metadata = BTreeMap::from([
        (text.to_owned(), text.into()),
        ("of all kinds".to_owned(), noted(text)),
    ]);
    record.tags = vec![text.to_owned(), String::new()];
    record.created_by = text.to_owned();
    record.expires_at = Some(NOW + Duration::from_millis(3));
    record.blocked = true;
    record.revoked_at = Some(NOW + Duration::from_millis(4));
    record.updated_at = NOW + Duration::from_millis(5);
    record.version = 7;
    record
}

async fn keeps_every_field(store: &impl KeyStore) {
    for text in HOSTILE {
        let record = full(text);
        store.insert(record.clone()).await.unwrap();
        assert_eq!(one(store, &record.key_id).await, Some(record.clone()));
        assert_eq!(
            store.find(&record.digest).await.unwrap(),
            Some(record.clone())
        );
        let mut other = full(text);
        other.key_id = record.key_id.clone();
        other.revoked_at = record.revoked_at;
        other.version = 8;
        assert!(store.replace(other.clone(), 7).await.unwrap());
        assert_eq!(one(store, &record.key_id).await, Some(other));
        assert_eq!(
            store.find(&record.digest).await.unwrap(),
            None,
            "an earlier digest opens nothing"
        );
        store.remove(&record.key_id).await.unwrap();
    }
    let mut none = key();
    none.rights.models = Models::Only(Vec::new());
    none.rights.routes = Routes::Only(Vec::new());
    none.rights.addresses = Addresses::Only(Vec::new());
    store.insert(none.clone()).await.unwrap();
    assert_eq!(
        one(store, &none.key_id).await,
        Some(none.clone()),
        "an empty list is not all"
    );
    store.remove(&none.key_id).await.unwrap();
}

async fn takes_nothing_twice(store: &impl KeyStore) {
    let mut first = key();
    first.alias = Some(HOSTILE[0].to_owned());
    first.previous = Some(Previous {
        digest: digest(),
        until: NOW,
    });
    store.insert(first.clone()).await.unwrap();
    let mut same_alias = key();
    same_alias.alias.clone_from(&first.alias);
    let mut same_id = key();
    same_id.key_id = first.key_id.clone();
    let mut same_digest = key();
    same_digest.digest = first.digest;
    let mut same_previous = key();
    same_previous.previous = first.previous;
    for (record, what) in [
        (same_alias.clone(), "key_alias"),
        (same_id, "key"),
        (same_digest, "key"),
        (same_previous, "key"),
    ] {
        let refused = store.insert(record).await;
        assert!(
            matches!(refused, Err(StoreError::Taken(taken)) if taken == what),
            "{what}: {refused:?}"
        );
    }
    let second = key();
    store.insert(second.clone()).await.unwrap();
    let mut renamed = second.clone();
    renamed.alias.clone_from(&first.alias);
    assert!(matches!(
        store.replace(renamed, 1).await,
        Err(StoreError::Taken("key_alias"))
    ));
    assert_eq!(
        one(store, &second.key_id).await,
        Some(second.clone()),
        "what was refused changed nothing"
    );
    // A revoked key frees its alias, for keys that are not revoked.
    first.revoked_at = Some(NOW);
    assert!(store.replace(first.clone(), 1).await.unwrap());
    store.insert(same_alias.clone()).await.unwrap();
    for record in [first, second, same_alias] {
        assert!(store.remove(&record.key_id).await.unwrap());
    }
}

async fn finds_by_the_previous_digest_too(store: &impl KeyStore) {
    let mut record = key();
    let before = record.digest;
    store.insert(record.clone()).await.unwrap();
    record.digest = digest();
    record.previous = Some(Previous {
        digest: before,
        until: NOW,
    });
    record.version = 2;
    assert!(store.replace(record.clone(), 1).await.unwrap());
    for known in [before, record.digest] {
        assert_eq!(store.find(&known).await.unwrap(), Some(record.clone()));
        let (found, accounts) = store.find_with_accounts(&known).await.unwrap().unwrap();
        assert_eq!((found, accounts.len()), (record.clone(), 0));
    }
    assert_eq!(store.find(&digest()).await.unwrap(), None);
    assert_eq!(store.find_with_accounts(&digest()).await.unwrap(), None);
    store.remove(&record.key_id).await.unwrap();
    assert_eq!(store.find(&before).await.unwrap(), None);
}

async fn gives_a_lineage(store: &impl KeyStore) {
    let elders: Vec<KeyRecord> = (0..8).map(|_| key()).collect();
    for elder in &elders {
        store.insert(elder.clone()).await.unwrap();
    }
    let mut asked: Vec<KeyId> = elders.iter().map(|elder| elder.key_id.clone()).collect();
    asked.push(KeyId::generate().unwrap());
    let mut found = store.get(&asked).await.unwrap();
    found.sort_by(|one, two| one.key_id.cmp(&two.key_id));
    let mut sorted = elders.clone();
    sorted.sort_by(|one, two| one.key_id.cmp(&two.key_id));
    assert_eq!(found, sorted);
    assert_eq!(store.get(&[]).await.unwrap(), []);
    for elder in elders {
        store.remove(&elder.key_id).await.unwrap();
    }
}

const WRITERS: u64 = 16;
const TIMES: u64 = 5;

/// Each counts on from the number that it read: two that build on the same would lose one.
async fn loses_no_update(store: &(impl KeyStore + Clone)) {
    let record = key();
    store.insert(record.clone()).await.unwrap();
    assert!(!store.replace(record.clone(), 2).await.unwrap());
    assert!(!store.replace(key(), 1).await.unwrap(), "no such key");
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (store, key_id) = (store.clone(), record.key_id.clone());
            tokio::spawn(async move {
                for _ in 0..TIMES {
                    loop {
                        let mut now = one(&store, &key_id).await.unwrap();
                        let count = now.metadata.entry("count".to_owned()).or_default();
                        *count = (count.as_u64().unwrap_or(0) + 1).into();
                        let seen = now.version;
                        if store.replace(now, seen).await.unwrap() {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let last = one(store, &record.key_id).await.unwrap();
    assert_eq!(last.metadata["count"], WRITERS * TIMES);
    assert_eq!(last.version, 1 + WRITERS * TIMES);
    store.remove(&record.key_id).await.unwrap();
}

async fn keeps_what_is_revoked_so(store: &impl KeyStore) {
    let mut record = key();
    store.insert(record.clone()).await.unwrap();
    record.revoked_at = Some(NOW);
    assert!(store.replace(record.clone(), 1).await.unwrap());
    for (seen, later) in [(2, None), (3, Some(NOW * 2))] {
        record.revoked_at = later;
        assert!(store.replace(record.clone(), seen).await.unwrap());
        let kept = one(store, &record.key_id).await.unwrap();
        assert_eq!((kept.revoked_at, kept.version), (Some(NOW), seen + 1));
    }
    store.remove(&record.key_id).await.unwrap();
}

async fn filters(store: &impl KeyStore) {
    let text = HOSTILE[0].to_owned();
    let by = || Some(text.clone());
    // One key a filter, and one that none but the plain list gives.
    let (mut team, mut user, mut organization) = (key(), key(), key());
    let (mut alias, mut due, mut minted) = (key(), key(), key());
    let (mut revoked, plain) = (key(), key());
    team.team_id = by();
    user.user_id = by();
    organization.organization_id = by();
    alias.alias = by();
    due.rotation = Some(Rotation {
        interval: "30d".parse().unwrap(),
        next_at: NOW,
    });
    minted.created_by = plain.key_id.to_string();
    revoked.revoked_at = Some(NOW);
    revoked.team_id = by();
    let all = [
        &team,
        &user,
        &organization,
        &alias,
        &due,
        &minted,
        &revoked,
        &plain,
    ];
    for record in all {
        store.insert(record.clone()).await.unwrap();
    }
    let viewer = |edit: fn(&mut Viewer, String)| {
        let mut viewer = Viewer {
            key_id: plain.key_id.to_string(),
            ..Viewer::default()
        };
        edit(&mut viewer, text.clone());
        Some(viewer)
    };
    let nobody = Some(Viewer {
        key_id: KeyId::generate().unwrap().to_string(),
        ..Viewer::default()
    });
    let table: Vec<(KeyQuery, Vec<&KeyRecord>)> = vec![
        (
            query(|_| ()),
            vec![&team, &user, &organization, &alias, &due, &minted, &plain],
        ),
        (query(|query| query.revoked = true), all.to_vec()),
        (query(|query| query.team_id = by()), vec![&team]),
        (
            query(|query| {
                query.team_id = by();
                query.revoked = true;
            }),
            vec![&team, &revoked],
        ),
        (query(|query| query.user_id = by()), vec![&user]),
        (
            query(|query| query.organization_id = by()),
            vec![&organization],
        ),
        (query(|query| query.alias = by()), vec![&alias]),
        (query(|query| query.rotates_by = Some(NOW)), vec![&due]),
        (
            query(|query| query.rotates_by = Some(NOW - Duration::from_millis(1))),
            vec![],
        ),
        (
            query(|query| {
                query.team_id = by();
                query.user_id = by();
            }),
            vec![],
        ),
        (
            query(|query| query.visible_to = viewer(|_, _| ())),
            vec![&plain, &minted],
        ),
        (
            query(|query| query.visible_to = viewer(|who, text| who.user_id = Some(text))),
            vec![&plain, &minted, &user],
        ),
        (
            query(|query| query.visible_to = viewer(|who, text| who.team_id = Some(text))),
            vec![&plain, &minted, &team],
        ),
        (
            query(|query| query.visible_to = viewer(|who, text| who.organization_id = Some(text))),
            vec![&plain, &minted, &organization],
        ),
        (query(|query| query.visible_to = nobody.clone()), vec![]),
        (query(|query| query.alias = Some("%".to_owned())), vec![]),
        (query(|query| query.team_id = Some("\0".to_owned())), vec![]),
        (
            query(|query| query.alias = Some(HOSTILE[1].to_owned())),
            vec![],
        ),
    ];
    for (query, expected) in table {
        let found = store.list(&query).await.unwrap();
        let names: Vec<&KeyId> = found.iter().map(|record| &record.key_id).collect();
        let mut wanted: Vec<&KeyId> = expected.iter().map(|record| &record.key_id).collect();
        wanted.sort();
        assert_eq!(names, wanted, "{query:?}");
    }
    for record in all {
        store.remove(&record.key_id).await.unwrap();
    }
}

fn query(edit: impl FnOnce(&mut KeyQuery)) -> KeyQuery {
    let mut query = KeyQuery::default();
    edit(&mut query);
    query
}

/// Names in upper and lower case: a store must not sort by a language's rules.
async fn pages(store: &impl KeyStore) {
    let records: Vec<KeyRecord> = (0..25).map(|_| key()).collect();
    for record in &records {
        store.insert(record.clone()).await.unwrap();
    }
    for limit in [0, 1, 7, 25, 26, usize::MAX] {
        let mut page = query(|query| query.limit = limit);
        let mut seen = Vec::new();
        loop {
            let found = store.list(&page).await.unwrap();
            assert!(found.len() <= limit.max(1));
            let Some(last) = found.last() else { break };
            page.after = Some(last.key_id.clone());
            seen.extend(found.into_iter().map(|record| record.key_id));
        }
        let mut wanted: Vec<KeyId> = records.iter().map(|record| record.key_id.clone()).collect();
        wanted.sort();
        assert_eq!(seen, wanted, "pages of {limit}");
    }
    for record in records {
        store.remove(&record.key_id).await.unwrap();
    }
}

async fn removes(store: &impl KeyStore) {
    let record = full(HOSTILE[0]);
    store.insert(record.clone()).await.unwrap();
    assert!(store.remove(&record.key_id).await.unwrap());
    assert!(!store.remove(&record.key_id).await.unwrap());
    assert_eq!(store.find(&record.digest).await.unwrap(), None);
    assert!(
        !store.replace(record.clone(), 7).await.unwrap(),
        "what is gone doesn't come back"
    );
    store.insert(record.clone()).await.unwrap();
    assert!(store.remove(&record.key_id).await.unwrap());
}
