//! Organisations, teams and users, and the keys in them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use bartizan_auth::{
    Account, AccountChange, AccountId, AccountKind, AccountQuery, AccountRequest, Denied, Error,
    KeyRequest, Keys, Member, MemoryStore,
};
use bartizan_core::{Decimal, Role};
use secrecy::{ExposeSecret, SecretString};
use support::{admin, clock, keys};

async fn make(keys: &Keys, kind: AccountKind, id: &str, organization: Option<&str>) -> Account {
    let mut request = AccountRequest::of(AccountId::new(kind, id));
    request.organization_id = organization.map(str::to_owned);
    keys.create_account(&admin(), request).await.unwrap()
}

async fn key(keys: &Keys, user: &str, team: Option<&str>) -> SecretString {
    let mut request = KeyRequest::default();
    request.user_id = Some(user.to_owned());
    request.team_id = team.map(str::to_owned);
    keys.generate(&admin(), request).await.unwrap().key
}

#[tokio::test]
async fn a_member_who_leaves_takes_no_key_along() {
    let keys = keys(MemoryStore::new(), &clock());
    let team = make(&keys, AccountKind::Team, "search", None).await.id;
    make(&keys, AccountKind::Team, "sales", None).await;
    let member = |role| Member {
        user_id: "robin".into(),
        role,
    };
    keys.add_member(&admin(), &team, member(Role::InternalUser), None)
        .await
        .unwrap();
    let twice = keys
        .add_member(&admin(), &team, member(Role::InternalUser), None)
        .await;
    assert!(
        matches!(
            twice,
            Err(Error::Invalid {
                field: "user_id",
                ..
            })
        ),
        "{twice:?}"
    );
    let changed = keys
        .update_member(&admin(), &team, member(Role::TeamAdmin), None)
        .await
        .unwrap();
    assert_eq!(changed.before.members, [member(Role::InternalUser)]);
    assert_eq!(changed.after.members, [member(Role::TeamAdmin)]);
    let inside = key(&keys, "robin", Some("search")).await;
    let others = key(&keys, "kim", Some("search")).await;
    let elsewhere = key(&keys, "robin", Some("sales")).await;

    keys.remove_member(&admin(), &team, "robin").await.unwrap();
    assert!(matches!(
        keys.verify(inside.expose_secret()).await,
        Err(Denied::Revoked)
    ));
    keys.verify(others.expose_secret()).await.unwrap();
    keys.verify(elsewhere.expose_secret()).await.unwrap();
    let again = keys.remove_member(&admin(), &team, "robin").await;
    assert!(
        matches!(
            again,
            Err(Error::Invalid {
                field: "user_id",
                ..
            })
        ),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_members_role_means_something_where_it_is() {
    let keys = keys(MemoryStore::new(), &clock());
    let acme = make(&keys, AccountKind::Organization, "acme", None)
        .await
        .id;
    let team = make(&keys, AccountKind::Team, "search", Some("acme"))
        .await
        .id;
    let user = make(&keys, AccountKind::User, "robin", Some("acme"))
        .await
        .id;
    make(&keys, AccountKind::Organization, "other", None).await;
    make(&keys, AccountKind::User, "pat", Some("other")).await;
    let member = |user: &str, role| Member {
        user_id: user.to_owned(),
        role,
    };
    for (id, who, role, expected) in [
        (&acme, "robin", Role::OrgAdmin, "done"),
        (&team, "robin", Role::TeamAdmin, "done"),
        (&team, "kim", Role::OrgAdmin, "role"),
        (&acme, "kim", Role::ProxyAdmin, "role"),
        (&team, "kim", Role::ProxyAdminViewer, "role"),
        (&team, "pat", Role::InternalUser, "forbidden"),
        (&acme, "pat", Role::InternalUser, "forbidden"),
        (&user, "kim", Role::InternalUser, "user_id"),
        (&team, "", Role::InternalUser, "members"),
    ] {
        let done = match keys.add_member(&admin(), id, member(who, role), None).await {
            Ok(_) => "done",
            Err(Error::Invalid { field, .. }) => field,
            Err(Error::Forbidden(_)) => "forbidden",
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(done, expected, "{id:?} {who} {role:?}");
    }
    // The administrator that a membership makes is one there alone, by a key that says so.
    make(&keys, AccountKind::User, "kim", None).await;
    make(&keys, AccountKind::Team, "sales", None).await;
    let kim = member("kim", Role::TeamAdmin);
    keys.add_member(&admin(), &team, kim, None).await.unwrap();
    for (team, expected) in [("search", Role::TeamAdmin), ("sales", Role::InternalUser)] {
        let mut request = KeyRequest::default();
        request.user_id = Some("kim".into());
        request.team_id = Some(team.to_owned());
        request.role = Some(Role::ProxyAdmin);
        let minted = keys.generate(&admin(), request).await.unwrap();
        let principal = keys.verify(minted.key.expose_secret()).await.unwrap();
        assert_eq!(principal.role(), expected, "{team}");
    }
}

#[tokio::test]
async fn a_deleted_account_stays_deleted_and_its_keys_are_revoked() {
    let keys = keys(MemoryStore::new(), &clock());
    let acme = make(&keys, AccountKind::Organization, "acme", None)
        .await
        .id;
    let team = make(&keys, AccountKind::Team, "search", Some("acme"))
        .await
        .id;
    let in_team = key(&keys, "robin", Some("search")).await;
    let outside = key(&keys, "robin", None).await;
    let changed = keys.delete_account(&admin(), &team).await.unwrap();
    assert!(changed.before.deleted_at.is_none() && changed.after.deleted_at.is_some());
    assert!(matches!(
        keys.verify(in_team.expose_secret()).await,
        Err(Denied::Revoked)
    ));
    keys.verify(outside.expose_secret()).await.unwrap();
    // Again is the same, anything else is refused.
    assert_eq!(
        keys.delete_account(&admin(), &team).await.unwrap().after,
        changed.after
    );
    let revived = keys.set_account_blocked(&admin(), &team, false).await;
    assert!(matches!(revived, Err(Error::Forbidden(_))), "{revived:?}");
    let listed = |deleted| {
        let mut query = AccountQuery::new(AccountKind::Team);
        query.deleted = deleted;
        query
    };
    assert!(
        keys.list_accounts(&admin(), listed(false))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        keys.list_accounts(&admin(), listed(true))
            .await
            .unwrap()
            .len(),
        1
    );
    // Nor is anything made in an organisation that is gone.
    keys.delete_account(&admin(), &acme).await.unwrap();
    let mut request = AccountRequest::new(AccountKind::Team);
    request.organization_id = Some("acme".into());
    let made = keys.create_account(&admin(), request).await;
    assert!(
        matches!(
            made,
            Err(Error::Invalid {
                field: "organization_id",
                ..
            })
        ),
        "{made:?}"
    );
}

#[tokio::test]
async fn fields_that_mean_nothing_in_an_account_are_refused_by_name() {
    let keys = keys(MemoryStore::new(), &clock());
    let of = |kind: AccountKind, edit: &dyn Fn(&mut AccountRequest)| {
        let mut request = AccountRequest::new(kind);
        edit(&mut request);
        request
    };
    let member = || Member {
        user_id: "robin".into(),
        role: Role::InternalUser,
    };
    let cases = [
        (
            "user_email",
            of(AccountKind::Team, &|request| {
                request.email = Some("a@example.org".into())
            }),
        ),
        (
            "user_role",
            of(AccountKind::Organization, &|request| {
                request.role = Some(Role::OrgAdmin)
            }),
        ),
        (
            "members",
            of(AccountKind::User, &|request| {
                request.members = vec![member()]
            }),
        ),
        (
            "members",
            of(AccountKind::Team, &|request| {
                request.members = vec![member(), member()]
            }),
        ),
        (
            "organization_id",
            of(AccountKind::Organization, &|request| {
                request.organization_id = Some("a".into())
            }),
        ),
        (
            "organization_id",
            of(AccountKind::Team, &|request| {
                request.organization_id = Some("none".into())
            }),
        ),
        (
            "team_id",
            of(AccountKind::Team, &|request| {
                request.id = Some("a\0b".into())
            }),
        ),
        (
            "team_alias",
            of(AccountKind::Team, &|request| {
                request.alias = Some(String::new())
            }),
        ),
        (
            "max_budget",
            of(AccountKind::Team, &|request| {
                request.rights.bounds.budget.max_budget = Some(Decimal::from(-1))
            }),
        ),
    ];
    for (field, request) in cases {
        match keys.create_account(&admin(), request).await {
            Err(Error::Invalid { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    // A name is drawn where none is given, and two are never the same.
    let one = keys
        .create_account(&admin(), AccountRequest::new(AccountKind::Team))
        .await
        .unwrap();
    let two = keys
        .create_account(&admin(), AccountRequest::new(AccountKind::Team))
        .await
        .unwrap();
    assert!(one.id != two.id && one.id.id.starts_with("team_"));
    let nobody = AccountId::new(AccountKind::Team, "nobody");
    assert!(matches!(
        keys.account(&admin(), &nobody).await,
        Err(Error::NoAccount(AccountKind::Team))
    ));
    let mut change = AccountChange::default();
    change.email = Some(Some("a@example.org".into()));
    let done = keys.update_account(&admin(), &one.id, change, None).await;
    assert!(
        matches!(
            done,
            Err(Error::Invalid {
                field: "user_email",
                ..
            })
        ),
        "{done:?}"
    );
}
