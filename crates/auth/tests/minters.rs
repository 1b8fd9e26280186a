//! What binds a key that somebody else minted, once it is minted: whoever that was, by a token, a certificate or a key of their own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use bartizan_auth::{
    AccountChange, AccountId, AccountKind, AccountRequest, Claims, Denied, KeyChange, KeyRequest,
    Keys, Member, MemoryStore, MintedKey,
};
use bartizan_core::{Models, Principal, Role};
use secrecy::ExposeSecret;
use support::{admin, clock, keys};

fn id(kind: AccountKind, id: &str) -> AccountId {
    AccountId::new(kind, id)
}

fn only(names: &[&str]) -> Models {
    Models::Only(names.iter().map(|name| (*name).to_owned()).collect())
}

/// An organization with two teams; olga administers it and calls in one, robin is in the other; root administers everything.
async fn hierarchy() -> Keys {
    let keys = keys(MemoryStore::new(), &clock());
    let member = |user_id: &str, role| Member {
        user_id: user_id.to_owned(),
        role,
    };
    let mut acme = AccountRequest::of(id(AccountKind::Organization, "acme"));
    acme.members = vec![
        member("olga", Role::OrgAdmin),
        member("robin", Role::InternalUser),
    ];
    keys.create_account(&admin(), acme).await.unwrap();
    for (kind, name) in [
        (AccountKind::Team, "ops"),
        (AccountKind::Team, "search"),
        (AccountKind::User, "olga"),
        (AccountKind::User, "robin"),
    ] {
        let mut request = AccountRequest::of(id(kind, name));
        request.organization_id = Some("acme".to_owned());
        keys.create_account(&admin(), request).await.unwrap();
    }
    let mut root = AccountRequest::of(id(AccountKind::User, "root"));
    root.role = Some(Role::ProxyAdmin);
    keys.create_account(&admin(), root).await.unwrap();
    keys
}

/// The same person by a token, and by a key.
async fn known_as(keys: &Keys, user: &str) -> [Principal; 2] {
    let mut claims = Claims::new(format!("jwt:{user}"));
    claims.user_id = Some(user.to_owned());
    let mut request = KeyRequest::default();
    request.user_id = Some(user.to_owned());
    request.role = Some(Role::ProxyAdmin);
    if user == "olga" {
        claims.team_id = Some("ops".to_owned());
        request.team_id = Some("ops".to_owned());
    }
    let key = keys.generate(&admin(), request).await.unwrap().key;
    [
        keys.principal_of(claims).await.unwrap(),
        keys.verify(key.expose_secret()).await.unwrap(),
    ]
}

async fn mint(keys: &Keys, by: &Principal, edit: impl FnOnce(&mut KeyRequest)) -> MintedKey {
    let mut request = KeyRequest::default();
    edit(&mut request);
    keys.generate(by, request).await.unwrap()
}

async fn change(keys: &Keys, of: AccountId, edit: impl FnOnce(&mut AccountChange)) {
    let mut change = AccountChange::default();
    edit(&mut change);
    keys.update_account(&admin(), &of, change, None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_minters_accounts_bind_what_they_handed_on_to_others_now_and_later() {
    for way in 0..2 {
        let keys = hierarchy().await;
        let olga = &known_as(&keys, "olga").await[way];
        assert_eq!(olga.role(), Role::OrgAdmin);
        let minted = mint(&keys, olga, |request| {
            request.user_id = Some("robin".to_owned());
            request.team_id = Some("search".to_owned());
        })
        .await;
        let robin = async || keys.verify(minted.key.expose_secret()).await.unwrap();
        assert_eq!(robin().await.models(), &Models::All);
        // The team that olga calls in, olga, and the organisation: each on its own, and at once.
        for (account, models, left) in [
            (
                id(AccountKind::Team, "ops"),
                ["gpt-*", "o3"],
                ["gpt-*", "o3"],
            ),
            (
                id(AccountKind::User, "olga"),
                ["gpt-4*", "o3"],
                ["gpt-4*", "o3"],
            ),
            (
                id(AccountKind::Organization, "acme"),
                ["o3", "o4"],
                ["o3", ""],
            ),
        ] {
            change(&keys, account.clone(), |change| {
                change.rights.models = Some(only(&models));
                change.rights.max_budget = Some(Some(7.into()));
            })
            .await;
            let left: Vec<&str> = left.into_iter().filter(|name| !name.is_empty()).collect();
            let now = robin().await;
            assert_eq!(now.models(), &only(&left), "{way} {account:?}");
            let pays = |scope: &&bartizan_core::Scope| scope.id == account.id;
            let scope = now.scopes().iter().find(pays).unwrap();
            assert_eq!(
                scope.bounds.budget.max_budget,
                Some(7.into()),
                "{account:?}"
            );
        }
        // Others' stay open whatever becomes of the minter: they have users and teams of their own.
        keys.set_account_blocked(&admin(), &id(AccountKind::User, "olga"), true)
            .await
            .unwrap();
        assert_eq!(robin().await.user_id(), Some("robin"));
        keys.delete_account(&admin(), &id(AccountKind::User, "olga"))
            .await
            .unwrap();
        assert_eq!(robin().await.models(), &only(&["o3"]));
    }
}

#[tokio::test]
async fn a_minter_who_is_demoted_takes_back_the_roles_that_they_gave() {
    for way in 0..2 {
        let keys = hierarchy().await;
        let olga = &known_as(&keys, "olga").await[way];
        let minted = mint(&keys, olga, |request| {
            request.team_id = Some("search".to_owned());
            request.role = Some(Role::TeamAdmin);
        })
        .await;
        let child = keys.verify(minted.key.expose_secret()).await.unwrap();
        assert_eq!(child.role(), Role::TeamAdmin);
        let grandchild = mint(&keys, &child, |request| {
            request.role = Some(Role::TeamAdmin);
        })
        .await;
        for (member, left) in [
            (Role::InternalUser, Role::InternalUser),
            (Role::OrgAdmin, Role::TeamAdmin),
        ] {
            let member = Member {
                user_id: "olga".to_owned(),
                role: member,
            };
            keys.update_member(
                &admin(),
                &id(AccountKind::Organization, "acme"),
                member,
                None,
            )
            .await
            .unwrap();
            for key in [&minted.key, &grandchild.key] {
                let now = keys.verify(key.expose_secret()).await.unwrap();
                assert_eq!(now.role(), left, "{way}");
            }
        }
        change(&keys, id(AccountKind::User, "olga"), |change| {
            change.role = Some(Role::InternalUserViewer);
        })
        .await;
        for key in [&minted.key, &grandchild.key] {
            let now = keys.verify(key.expose_secret()).await.unwrap();
            assert_eq!(now.role(), Role::InternalUserViewer, "{way}");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_nobodys_falls_with_the_user_who_minted_it() {
    for way in 0..2 {
        let keys = hierarchy().await;
        let root = &known_as(&keys, "root").await[way];
        let of_nobody = mint(&keys, root, |_| ()).await;
        let of_a_team = mint(&keys, root, |request| {
            request.team_id = Some("search".into())
        })
        .await;
        let given = mint(&keys, root, |_| ()).await;
        let given_id = given.record.key_id.to_string();
        let mut to_robin = KeyChange::default();
        to_robin.user_id = Some(Some("robin".to_owned()));
        keys.update(&admin(), &given_id, to_robin, None)
            .await
            .unwrap();
        let root = id(AccountKind::User, "root");
        for (blocked, falls) in [(true, true), (false, false), (true, true)] {
            keys.set_account_blocked(&admin(), &root, blocked)
                .await
                .unwrap();
            let denied = keys.verify(of_nobody.key.expose_secret()).await;
            let closed = matches!(denied, Err(Denied::BlockedAccount(AccountKind::User)));
            assert_eq!((closed, denied.is_ok()), (falls, !falls), "{way}");
            for others in [&of_a_team, &given] {
                assert!(keys.verify(others.key.expose_secret()).await.is_ok());
            }
        }
        keys.set_account_blocked(&admin(), &root, false)
            .await
            .unwrap();
        keys.delete_account(&admin(), &root).await.unwrap();
        assert!(keys.verify(of_nobody.key.expose_secret()).await.is_err());
        assert!(keys.verify(of_a_team.key.expose_secret()).await.is_ok());
    }
}

#[tokio::test]
async fn who_names_no_account_is_bound_at_the_minting_alone() {
    let keys = hierarchy().await;
    let mut claims = Claims::new("peer:vault");
    claims.role = Some(Role::ProxyAdmin);
    claims.models = only(&["gpt-4"]);
    let vault = keys.principal_of(claims).await.unwrap();
    let minted = mint(&keys, &vault, |request| {
        request.user_id = Some("robin".into())
    })
    .await;
    assert_eq!(minted.record.minter, None);
    assert_eq!(minted.record.rights.models, only(&["gpt-4"]));
    assert_eq!(minted.record.created_by, "peer:vault");
}
