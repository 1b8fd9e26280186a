//! What changing a key promises: nothing widens, nothing is lost, and it holds from that moment on.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::time::Duration;

use bartizan_auth::{
    AccountChange, AccountId, AccountKind, AccountRequest, Addresses, Error, KeyChange, KeyRequest,
    Keys, Member, MemoryStore, MintedKey, Routes,
};
use bartizan_core::{Bounds, Budget, Decimal, KeyType, Limits, Models, Principal, Role};
use secrecy::ExposeSecret;
use support::{admin, clock, keys};

fn only(names: &[&str]) -> Models {
    Models::Only(names.iter().map(|name| (*name).to_owned()).collect())
}

fn change(edit: impl FnOnce(&mut KeyChange)) -> KeyChange {
    let mut change = KeyChange::default();
    edit(&mut change);
    change
}

async fn minted(
    keys: &Keys,
    by: &Principal,
    edit: impl FnOnce(&mut KeyRequest),
) -> (Principal, MintedKey) {
    let mut request = KeyRequest::default();
    edit(&mut request);
    let minted = keys.generate(by, request).await.unwrap();
    let principal = keys.verify(minted.key.expose_secret()).await.unwrap();
    (principal, minted)
}

#[tokio::test]
async fn a_minted_key_has_every_field_that_was_asked_for() {
    let clock = clock();
    let keys = keys(MemoryStore::new(), &clock);
    let bounds = Bounds {
        limits: Limits {
            rpm: Some(1),
            tpm: Some(2),
            max_parallel_requests: None,
        },
        budget: Budget {
            max_budget: Some(Decimal::new(1_050, 2)),
            soft_budget: None,
            budget_duration: Some("1d".parse().unwrap()),
        },
    };
    let (principal, minted) = minted(&keys, &admin(), |request| {
        request.organization_id = Some("acme".into());
        request.key_type = Some(KeyType::LlmApi);
        request.routes = Routes::Only(vec!["/v1/*".into()]);
        request.addresses = Addresses::Only(vec!["10.0.0.0/8".parse().unwrap()]);
        request.budget = Budget {
            max_budget: Some(Decimal::from(5_000)),
            soft_budget: Some(Decimal::from(4_000)),
            budget_duration: Some("30d".parse().unwrap()),
        };
        request.model_bounds = [("gpt-4o".to_owned(), bounds)].into();
        request.guardrails = ["pii".to_owned()].into();
        request.aliases = [("fast".to_owned(), "gpt-4o-mini".to_owned())].into();
        request.rotation_interval = Some("7d".parse().unwrap());
    })
    .await;
    let record = minted.record;
    assert_eq!(record.organization_id.as_deref(), Some("acme"));
    assert_eq!(record.key_type, KeyType::LlmApi);
    assert_eq!(record.rights.routes, Routes::Only(vec!["/v1/*".into()]));
    assert_eq!(
        record.rights.bounds.budget.max_budget,
        Some(Decimal::from(5_000))
    );
    assert_eq!(
        record.rights.bounds.budget.soft_budget,
        Some(Decimal::from(4_000))
    );
    assert_eq!(record.rights.model_bounds["gpt-4o"], bounds);
    assert_eq!(record.aliases["fast"], "gpt-4o-mini");
    let week = Duration::from_secs(7 * 86_400);
    assert_eq!(record.rotation.unwrap().next_at, record.created_at + week);
    assert_eq!(principal.guardrails(), ["pii"]);
    assert_eq!(principal.scopes()[0].model_bounds["gpt-4o"], bounds);
}

#[tokio::test]
async fn what_a_change_names_is_changed_at_once_and_the_rest_stays() {
    let keys = keys(MemoryStore::new(), &clock());
    let (_, minted) = minted(&keys, &admin(), |request| {
        request.alias = Some("search-prod".into());
        request.team_id = Some("search".into());
        request.models = Some(only(&["gpt-4o"]));
        request.limits.rpm = Some(5);
        request.metadata.insert("cost_centre".into(), "17".into());
        request.duration = Some("1d".parse().unwrap());
    })
    .await;
    let key_id = minted.record.key_id.as_str();
    let widened = change(|change| {
        change.rights.models = Some(only(&["gpt-4o", "o3"]));
        change.rights.rpm = Some(None);
        change.rights.max_budget = Some(Some(Decimal::from(7)));
        change.rights.model_rpm = Some([("o3".to_owned(), 3)].into());
        change.tags = Some(vec!["prod".into()]);
        change.duration = Some(None);
        change.alias = Some(None);
    });
    let changed = keys.update(&admin(), key_id, widened, None).await.unwrap();
    assert_eq!(changed.before, minted.record);
    let after = &changed.after;
    assert_eq!(after.rights.models, only(&["gpt-4o", "o3"]));
    assert_eq!(after.rights.bounds.limits.rpm, None);
    assert_eq!(
        after.rights.bounds.budget.max_budget,
        Some(Decimal::from(7))
    );
    assert_eq!(after.rights.model_bounds["o3"].limits.rpm, Some(3));
    assert_eq!((after.alias.as_ref(), after.expires_at), (None, None));
    assert_eq!(after.team_id.as_deref(), Some("search"));
    assert_eq!(after.metadata["cost_centre"], "17");
    assert_eq!((changed.before.version, after.version), (1, 2));
    assert_eq!(&keys.info(&admin(), key_id).await.unwrap(), after);
    let principal = keys.verify(minted.key.expose_secret()).await.unwrap();
    assert_eq!(principal.models(), &only(&["gpt-4o", "o3"]));

    // Each kind of a model's bounds is changed for itself.
    let more = change(|change| {
        change.rights.model_tpm = Some([("o3".to_owned(), 9), ("gpt-4o".to_owned(), 8)].into());
    });
    let changed = keys.update(&admin(), key_id, more, None).await.unwrap();
    let o3 = changed.after.rights.model_bounds["o3"].limits;
    assert_eq!((o3.rpm, o3.tpm), (Some(3), Some(9)));
    let fewer = change(|change| change.rights.model_tpm = Some([].into()));
    let changed = keys.update(&admin(), key_id, fewer, None).await.unwrap();
    assert_eq!(
        changed.after.rights.model_bounds.keys().collect::<Vec<_>>(),
        ["o3"]
    );
}

#[tokio::test]
async fn a_key_widens_neither_itself_nor_another_beyond_itself() {
    let keys = keys(MemoryStore::new(), &clock());
    let (member, record) = minted(&keys, &admin(), |request| {
        request.user_id = Some("robin".into());
        request.models = Some(only(&["gpt-*"]));
        request.routes = Routes::Only(vec!["/v1/chat/*".into()]);
        request.addresses = Addresses::Only(vec!["10.0.0.0/24".parse().unwrap()]);
        request.limits.rpm = Some(10);
        request.budget.max_budget = Some(Decimal::from(100));
        request.guardrails = ["pii".to_owned()].into();
        request.duration = Some("1h".parse().unwrap());
    })
    .await;
    let ends = record.record.expires_at;
    // Another of robin's, greater, that robin minted with none of its own.
    let (_, other) = minted(&keys, &admin(), |request| {
        request.user_id = Some("robin".into())
    })
    .await;
    let greedy = change(|change| {
        change.rights.models = Some(Models::All);
        change.rights.routes = Some(Routes::All);
        change.rights.addresses = Some(Addresses::All);
        change.rights.rpm = Some(None);
        change.rights.max_budget = Some(Some(Decimal::from(1_000_000)));
        change.rights.guardrails = Some([].into());
        change.duration = Some(None);
        change.role = Some(Role::ProxyAdmin);
    });
    for whose in [&record.record, &other.record] {
        let changed = keys
            .update(&member, whose.key_id.as_str(), greedy.clone(), None)
            .await
            .unwrap();
        let rights = changed.after.rights;
        assert_eq!(rights.models, only(&["gpt-*"]));
        assert_eq!(rights.routes, Routes::Only(vec!["/v1/chat/*".into()]));
        assert_eq!(
            rights.addresses,
            Addresses::Only(vec!["10.0.0.0/24".parse().unwrap()])
        );
        assert_eq!(rights.bounds.limits.rpm, Some(10));
        assert_eq!(rights.bounds.budget.max_budget, Some(Decimal::from(100)));
        assert!(rights.guardrails.contains("pii"));
        assert_eq!(
            (changed.after.expires_at, changed.after.role),
            (ends, Role::InternalUser)
        );
    }
    let steal = [
        change(|change| change.user_id = Some(Some("kim".into()))),
        change(|change| change.team_id = Some(Some("finance".into()))),
        change(|change| change.organization_id = Some(Some("acme".into()))),
        change(|change| change.blocked = Some(false)),
    ];
    for steal in steal {
        let key_id = other.record.key_id.as_str();
        let done = keys.update(&member, key_id, steal, None).await;
        assert!(matches!(done, Err(Error::Forbidden(_))), "{done:?}");
    }
}

#[tokio::test]
async fn a_key_stays_within_those_that_it_was_minted_with_whoever_changes_it() {
    let keys = keys(MemoryStore::new(), &clock());
    let (elder, elder_record) = minted(&keys, &admin(), |request| {
        request.user_id = Some("robin".into());
        request.models = Some(only(&["gpt-*"]));
        request.duration = Some("1h".parse().unwrap());
    })
    .await;
    let (_, child) = minted(&keys, &elder, |_| ()).await;
    let wide = || {
        change(|change| {
            change.rights.models = Some(Models::All);
            change.duration = Some(None);
            change.role = Some(Role::ProxyAdmin);
        })
    };
    let key_id = child.record.key_id.as_str();
    let changed = keys.update(&admin(), key_id, wide(), None).await.unwrap();
    assert_eq!(changed.after.rights.models, only(&["gpt-*"]));
    assert_eq!(changed.after.expires_at, elder_record.record.expires_at);
    assert_eq!(changed.after.role, Role::InternalUser);
    // Narrowed afterwards, the elder narrows it; revoked, it leaves it what it had.
    let narrower = change(|change| change.rights.models = Some(only(&["gpt-4o"])));
    let elder_id = elder_record.record.key_id.as_str();
    keys.update(&admin(), elder_id, narrower, None)
        .await
        .unwrap();
    let principal = keys.verify(child.key.expose_secret()).await.unwrap();
    assert_eq!(principal.models(), &only(&["gpt-4o"]));
    keys.revoke(&admin(), elder_id).await.unwrap();
    let principal = keys.verify(child.key.expose_secret()).await.unwrap();
    assert_eq!(principal.models(), &only(&["gpt-4o"]));
    // Gone, nobody can tell how far it may go: no further than it does.
    keys.purge(&admin(), elder_id).await.unwrap();
    let changed = keys.update(&admin(), key_id, wide(), None).await.unwrap();
    assert_eq!(changed.after.rights.models, only(&["gpt-*"]));
    assert_eq!(changed.after.expires_at, elder_record.record.expires_at);
    assert_eq!(changed.after.role, Role::InternalUser);
}

#[tokio::test]
async fn a_ninth_generation_is_not_minted() {
    let keys = keys(MemoryStore::new(), &clock());
    let (mut by, first) = minted(&keys, &admin(), |request| {
        request.user_id = Some("robin".into())
    })
    .await;
    assert!(first.record.lineage.is_empty());
    for generation in 1..=8 {
        let (next, minted) = minted(&keys, &by, |_| ()).await;
        assert_eq!(minted.record.lineage.len(), generation);
        assert_eq!(minted.record.lineage.last().unwrap().as_str(), by.key_id());
        assert_eq!(minted.record.lineage[0], first.record.key_id);
        by = next;
    }
    let ninth = keys.generate(&by, KeyRequest::default()).await;
    assert!(matches!(ninth, Err(Error::Forbidden(_))), "{ninth:?}");
}

#[tokio::test]
async fn a_version_that_was_not_seen_is_not_overwritten() {
    let keys = keys(MemoryStore::new(), &clock());
    let (_, minted) = minted(&keys, &admin(), |_| ()).await;
    let key_id = minted.record.key_id.as_str();
    let tag = |tag: &str| change(|change| change.tags = Some(vec![tag.to_owned()]));
    keys.update(&admin(), key_id, tag("one"), Some(1))
        .await
        .unwrap();
    for stale in [0, 1, 3, u64::MAX] {
        let done = keys.update(&admin(), key_id, tag("two"), Some(stale)).await;
        assert!(matches!(done, Err(Error::Conflict)), "{done:?}");
    }
    // Without one, the change is made on the newest.
    let changed = keys
        .update(&admin(), key_id, tag("two"), None)
        .await
        .unwrap();
    assert_eq!(
        (changed.before.tags[0].as_str(), changed.after.version),
        ("one", 3)
    );

    let team = AccountId::new(AccountKind::Team, "search");
    keys.create_account(&admin(), AccountRequest::of(team.clone()))
        .await
        .unwrap();
    let mut renamed = AccountChange::default();
    renamed.alias = Some(Some("Search".into()));
    keys.update_account(&admin(), &team, renamed.clone(), Some(1))
        .await
        .unwrap();
    let done = keys.update_account(&admin(), &team, renamed, Some(1)).await;
    assert!(matches!(done, Err(Error::Conflict)), "{done:?}");
    let member = Member {
        user_id: "robin".into(),
        role: Role::InternalUser,
    };
    let done = keys
        .add_member(&admin(), &team, member.clone(), Some(1))
        .await;
    assert!(matches!(done, Err(Error::Conflict)), "{done:?}");
    keys.add_member(&admin(), &team, member, Some(2))
        .await
        .unwrap();
}

#[tokio::test]
async fn changes_at_once_are_all_made() {
    let keys = keys(MemoryStore::new(), &clock());
    let (_, minted) = minted(&keys, &admin(), |_| ()).await;
    let key_id = minted.record.key_id.to_string();
    let mut tasks = Vec::new();
    for number in 0..6_u32 {
        let (keys, key_id) = (keys.clone(), key_id.clone());
        tasks.push(tokio::spawn(async move {
            let model = format!("m{number}");
            let change = change(|change| change.rights.rpm = Some(Some(number)));
            keys.update(&admin(), &key_id, change, None).await.unwrap();
            model
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(keys.info(&admin(), &key_id).await.unwrap().version, 7);
}

#[tokio::test]
async fn changed_fields_out_of_range_are_refused_by_name() {
    let keys = keys(MemoryStore::new(), &clock());
    let (_, minted) = minted(&keys, &admin(), |_| ()).await;
    let long = "x".repeat(257);
    let cases = [
        (
            "key_alias",
            change(|change| change.alias = Some(Some("a\nb".into()))),
        ),
        (
            "team_id",
            change(|change| change.team_id = Some(Some(String::new()))),
        ),
        (
            "organization_id",
            change(|change| change.organization_id = Some(Some(long.clone()))),
        ),
        (
            "aliases",
            change(|change| change.aliases = Some([(String::new(), "m".into())].into())),
        ),
        (
            "tags",
            change(|change| change.tags = Some(vec![long.clone()])),
        ),
        (
            "metadata",
            change(|change| change.metadata = Some([("\0".into(), "m".into())].into())),
        ),
        (
            "models",
            change(|change| change.rights.models = Some(only(&["\u{7f}"]))),
        ),
        (
            "allowed_routes",
            change(|change| change.rights.routes = Some(Routes::Only(vec!["v1/models".into()]))),
        ),
        (
            "max_budget",
            change(|change| change.rights.max_budget = Some(Some(Decimal::from(-1)))),
        ),
        (
            "soft_budget",
            change(|change| change.rights.soft_budget = Some(Some(Decimal::from(-1)))),
        ),
        (
            "guardrails",
            change(|change| change.rights.guardrails = Some([String::new()].into())),
        ),
        (
            "model_rpm_limit",
            change(|change| change.rights.model_rpm = Some([(long.clone(), 1)].into())),
        ),
        (
            "model_max_budget",
            change(|change| {
                let budget = Budget {
                    max_budget: Some(Decimal::from(-1)),
                    ..Budget::default()
                };
                change.rights.model_budgets = Some([("m".to_owned(), budget)].into());
            }),
        ),
    ];
    for (field, change) in cases {
        let done = keys
            .update(&admin(), minted.record.key_id.as_str(), change, None)
            .await;
        match done {
            Err(Error::Invalid { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert_eq!(
        keys.info(&admin(), minted.record.key_id.as_str())
            .await
            .unwrap(),
        minted.record
    );
}
