//! The service does what the matrix says: every action on keys and accounts, by every role and type of key, to one's own and to others'.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use bartizan_auth::{
    AccountChange, AccountId, AccountKind, AccountQuery, AccountRequest, Action, Error, KeyChange,
    KeyQuery, KeyRequest, Keys, Member, MemoryStore, Reach, allowed, reach,
};
use bartizan_core::{KeyType, Principal, Role};
use secrecy::ExposeSecret;
use support::{admin, clock, keys};

/// Who is how far from robin, who is in the team search of acme: robin itself, kim of the same team, lee of another, pat elsewhere.
const PEOPLE: [(&str, &str, &str, Reach); 4] = [
    ("robin", "search", "acme", Reach::Own),
    ("kim", "search", "acme", Reach::Team),
    ("lee", "sales", "acme", Reach::Organization),
    ("pat", "ops", "other", Reach::All),
];

async fn world(keys: &Keys) {
    for organization in ["acme", "other"] {
        let id = AccountId::new(AccountKind::Organization, organization);
        let request = AccountRequest::of(id);
        keys.create_account(&admin(), request).await.unwrap();
    }
    for (user, _, organization, _) in PEOPLE {
        let mut request = AccountRequest::of(AccountId::new(AccountKind::User, user));
        request.organization_id = Some(organization.into());
        // Whoever robin is, is said by its key.
        request.role = (user == "robin").then_some(Role::ProxyAdmin);
        keys.create_account(&admin(), request).await.unwrap();
    }
    for (team, organization) in [("search", "acme"), ("sales", "acme"), ("ops", "other")] {
        let mut request = AccountRequest::of(AccountId::new(AccountKind::Team, team));
        request.organization_id = Some(organization.into());
        request.members = PEOPLE
            .iter()
            .filter(|(_, its, ..)| *its == team)
            .map(|(user, ..)| Member {
                user_id: (*user).into(),
                role: Role::InternalUser,
            })
            .collect();
        keys.create_account(&admin(), request).await.unwrap();
    }
}

async fn key_of(keys: &Keys, user: &str, role: Role, key_type: KeyType) -> (Principal, String) {
    let (_, team, ..) = PEOPLE.iter().find(|(name, ..)| *name == user).unwrap();
    let mut request = KeyRequest::default();
    request.user_id = Some(user.into());
    request.team_id = Some((*team).into());
    request.role = Some(role);
    request.key_type = Some(key_type);
    let minted = keys.generate(&admin(), request).await.unwrap();
    let principal = keys.verify(minted.key.expose_secret()).await.unwrap();
    assert_eq!((principal.role(), principal.key_type()), (role, key_type));
    (principal, minted.record.key_id.to_string())
}

/// What came of it: done, refused, or as if there were none.
fn outcome<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(Error::Forbidden(_)) => "refused",
        Err(Error::NotFound | Error::NoAccount(_)) => "unseen",
        Err(other) => panic!("{other:?}"),
    }
}

/// What has to come of it, for something at that distance.
fn expected(by: &Principal, action: Action, see: Action, distance: Reach) -> &'static str {
    let (may, sees) = (allowed(by, action), allowed(by, see));
    if may == Reach::None || sees == Reach::None {
        "refused"
    } else if sees < distance {
        "unseen"
    } else if may < distance {
        "refused"
    } else {
        "done"
    }
}

fn named() -> KeyChange {
    let mut change = KeyChange::default();
    change.tags = Some(vec!["changed".into()]);
    change
}

#[tokio::test]
async fn keys_are_managed_as_far_as_the_matrix_reaches() {
    for role in Role::ALL {
        for key_type in KeyType::ALL {
            let keys = keys(MemoryStore::new(), &clock());
            world(&keys).await;
            let (by, own_id) = key_of(&keys, "robin", role, key_type).await;
            for (user, team, _, distance) in PEOPLE {
                let fresh = async || {
                    key_of(&keys, user, Role::InternalUser, KeyType::Default)
                        .await
                        .1
                };
                let see = Action::SeeKeys;
                let check = |action: Action, did: &'static str| {
                    let what = format!("{role:?} {key_type:?} {action:?} {user}");
                    assert_eq!(did, expected(&by, action, see, distance), "{what}");
                };
                let its = fresh().await;
                check(see, outcome(keys.info(&by, &its).await));
                let mut query = KeyQuery::default();
                query.user_id = Some(user.into());
                let listed = keys.list(&by, query).await.unwrap_or_default();
                let is_listed = listed.iter().any(|record| record.key_id.as_str() == its);
                assert_eq!(
                    is_listed,
                    allowed(&by, see) >= distance,
                    "{role:?} {key_type:?} lists {user}'s"
                );
                check(
                    Action::UpdateKey,
                    outcome(keys.update(&by, &its, named(), None).await),
                );
                check(
                    Action::RegenerateKey,
                    outcome(keys.regenerate(&by, &its, None).await),
                );
                check(
                    Action::BlockKey,
                    outcome(keys.set_blocked(&by, &its, true).await),
                );
                let mut blocks = KeyChange::default();
                blocks.blocked = Some(false);
                let did = outcome(keys.update(&by, &its, blocks, None).await);
                if allowed(&by, Action::UpdateKey) != Reach::None {
                    check(Action::BlockKey, did);
                } else {
                    assert_eq!(did, "refused");
                }
                let its = fresh().await;
                check(Action::RevokeKey, outcome(keys.revoke(&by, &its).await));
                let its = fresh().await;
                check(Action::PurgeKey, outcome(keys.purge(&by, &its).await));
                let mut wish = KeyRequest::default();
                wish.user_id = Some(user.into());
                wish.team_id = Some(team.into());
                let may = allowed(&by, Action::GenerateKey) >= distance
                    && allowed(&by, Action::GenerateKey) != Reach::None;
                let did = outcome(keys.generate(&by, wish).await);
                assert_eq!(
                    did,
                    if may { "done" } else { "refused" },
                    "{role:?} {key_type:?} mints for {user}"
                );
            }
            // One's own key is one's own, whatever it may do.
            let own = expected(&by, Action::RevokeKey, Action::SeeKeys, Reach::Own);
            assert_eq!(outcome(keys.revoke(&by, &own_id).await), own);
        }
    }
}

#[tokio::test]
async fn nobody_manages_a_key_or_a_user_whose_role_is_over_their_own() {
    let keys = keys(MemoryStore::new(), &clock());
    world(&keys).await;
    let mut request = AccountRequest::of(AccountId::new(AccountKind::User, "root"));
    request.organization_id = Some("acme".into());
    request.role = Some(Role::ProxyAdmin);
    keys.create_account(&admin(), request).await.unwrap();
    for by in [Role::OrgAdmin, Role::TeamAdmin, Role::InternalUser] {
        let (by, _) = key_of(&keys, "robin", by, KeyType::Default).await;
        // Robin's own second key, and it is the greater.
        let (_, greater) = key_of(&keys, "robin", Role::ProxyAdmin, KeyType::Default).await;
        for did in [
            outcome(keys.update(&by, &greater, named(), None).await),
            outcome(keys.regenerate(&by, &greater, None).await),
            outcome(keys.revoke(&by, &greater).await),
            outcome(keys.set_blocked(&by, &greater, true).await),
        ] {
            assert_eq!(did, "refused", "{by:?}");
        }
        let root = AccountId::new(AccountKind::User, "root");
        let mut change = AccountChange::default();
        change.email = Some(Some("mine@example.org".into()));
        assert_ne!(
            outcome(keys.update_account(&by, &root, change, None).await),
            "done"
        );
        assert_ne!(
            outcome(keys.set_account_blocked(&by, &root, true).await),
            "done"
        );
        assert_ne!(outcome(keys.delete_account(&by, &root).await), "done");
    }
    // Nor is a role given that is over one's own.
    let (by, _) = key_of(&keys, "robin", Role::OrgAdmin, KeyType::Default).await;
    let mut request = AccountRequest::new(AccountKind::User);
    request.role = Some(Role::ProxyAdmin);
    assert_eq!(outcome(keys.create_account(&by, request).await), "refused");
    let mut change = AccountChange::default();
    change.role = Some(Role::ProxyAdminViewer);
    let kim = AccountId::new(AccountKind::User, "kim");
    assert_eq!(
        outcome(keys.update_account(&by, &kim, change, None).await),
        "refused"
    );
}

#[tokio::test]
async fn accounts_are_managed_as_far_as_the_matrix_reaches() {
    use AccountKind::{Organization, Team, User};
    let targets = [
        (Organization, "acme", Reach::Organization),
        (Organization, "other", Reach::All),
        (Team, "search", Reach::Team),
        (Team, "sales", Reach::Organization),
        (Team, "ops", Reach::All),
        (User, "robin", Reach::Own),
        (User, "kim", Reach::Team),
        (User, "lee", Reach::Organization),
        (User, "pat", Reach::All),
    ];
    for role in Role::ALL {
        for key_type in KeyType::ALL {
            for (kind, name, distance) in targets {
                let keys = keys(MemoryStore::new(), &clock());
                world(&keys).await;
                let (by, _) = key_of(&keys, "robin", role, key_type).await;
                let id = AccountId::new(kind, name);
                let [see, update, bound, delete] = match kind {
                    Organization => [
                        Action::SeeOrganizations,
                        Action::UpdateOrganization,
                        Action::BoundOrganization,
                        Action::DeleteOrganization,
                    ],
                    Team => [
                        Action::SeeTeams,
                        Action::UpdateTeam,
                        Action::BoundTeam,
                        Action::DeleteTeam,
                    ],
                    _ => [
                        Action::SeeUsers,
                        Action::UpdateUser,
                        Action::BoundUser,
                        Action::DeleteUser,
                    ],
                };
                // One sees one's own team, though one may do nothing to it.
                let seen_at = if name == "search" {
                    Reach::Own
                } else {
                    distance
                };
                let check = |action: Action, did: &'static str| {
                    let (may, sees) = (allowed(&by, action), allowed(&by, see));
                    let must = if sees == Reach::None || may == Reach::None {
                        "refused"
                    } else if sees < seen_at {
                        "unseen"
                    } else if may < if action == see { seen_at } else { distance } {
                        "refused"
                    } else {
                        "done"
                    };
                    assert_eq!(did, must, "{role:?} {key_type:?} {action:?} {name}");
                };
                check(see, outcome(keys.account(&by, &id).await));
                let listed = keys
                    .list_accounts(&by, AccountQuery::new(kind))
                    .await
                    .unwrap_or_default();
                let is_listed = listed.iter().any(|account| account.id == id);
                assert_eq!(
                    is_listed,
                    allowed(&by, see) >= seen_at,
                    "{role:?} {key_type:?} lists {name}"
                );

                let mut change = AccountChange::default();
                change.alias = Some(Some("changed".into()));
                check(
                    update,
                    outcome(keys.update_account(&by, &id, change, None).await),
                );
                let mut change = AccountChange::default();
                change.rights.rpm = Some(Some(1_000));
                check(
                    bound,
                    outcome(keys.update_account(&by, &id, change, None).await),
                );
                if let Some(action) = match kind {
                    Organization => Some(Action::ManageOrganizationMembers),
                    Team => Some(Action::ManageTeamMembers),
                    _ => None,
                } {
                    let member = |role| Member {
                        user_id: "new".into(),
                        role,
                    };
                    check(
                        action,
                        outcome(
                            keys.add_member(&by, &id, member(Role::InternalUser), None)
                                .await,
                        ),
                    );
                    if allowed(&by, action) >= distance {
                        let did = keys
                            .update_member(&by, &id, member(Role::InternalUserViewer), None)
                            .await;
                        check(action, outcome(did));
                        check(action, outcome(keys.remove_member(&by, &id, "new").await));
                    }
                }
                // What blocks or deletes robin or its accounts ends what robin may do.
                if name != "robin" && name != "search" && name != "acme" {
                    check(
                        bound,
                        outcome(keys.set_account_blocked(&by, &id, true).await),
                    );
                    check(delete, outcome(keys.delete_account(&by, &id).await));
                }
            }
        }
    }
}

#[tokio::test]
async fn accounts_are_made_in_ones_own_organization_only() {
    for role in Role::ALL {
        let keys = keys(MemoryStore::new(), &clock());
        world(&keys).await;
        let (by, _) = key_of(&keys, "robin", role, KeyType::Default).await;
        for kind in AccountKind::ALL {
            let action = match kind {
                AccountKind::Organization => Action::CreateOrganization,
                AccountKind::Team => Action::CreateTeam,
                _ => Action::CreateUser,
            };
            for (organization, distance) in [
                (None, Reach::Organization),
                (Some("acme"), Reach::Organization),
                (Some("other"), Reach::All),
            ] {
                if kind == AccountKind::Organization && organization.is_some() {
                    continue;
                }
                let mut request = AccountRequest::new(kind);
                request.organization_id = organization.map(str::to_owned);
                let made = keys.create_account(&by, request).await;
                let may = reach(role, action) >= distance;
                if let Ok(account) = &made
                    && role == Role::OrgAdmin
                {
                    assert_eq!(account.organization_id.as_deref(), Some("acme"));
                }
                assert_eq!(
                    outcome(made),
                    if may { "done" } else { "refused" },
                    "{role:?} {kind:?} {organization:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_name_that_others_keys_bear_is_not_taken_over() {
    let keys = keys(MemoryStore::new(), &clock());
    world(&keys).await;
    // Keys bear names that have no record.
    for (user, team) in [(Some("ada"), None), (None, Some("night"))] {
        let mut request = KeyRequest::default();
        request.user_id = user.map(str::to_owned);
        request.team_id = team.map(str::to_owned);
        keys.generate(&admin(), request).await.unwrap();
    }
    let (by, _) = key_of(&keys, "robin", Role::OrgAdmin, KeyType::Default).await;
    for (kind, name) in [(AccountKind::User, "ada"), (AccountKind::Team, "night")] {
        let id = AccountId::new(kind, name);
        assert_eq!(
            outcome(
                keys.create_account(&by, AccountRequest::of(id.clone()))
                    .await
            ),
            "refused"
        );
        assert_eq!(
            outcome(keys.create_account(&admin(), AccountRequest::of(id)).await),
            "done"
        );
    }
}
