//! Accounts in a store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bartizan_auth::{Account, AccountId, AccountKind, AccountQuery, KeyStore, Member, StoreError};
use bartizan_core::{Models, Role};

use super::{HOSTILE, NOW, key, noted};

pub(crate) async fn behave(store: impl KeyStore + Clone) {
    keeps_every_field(&store).await;
    gives_them_with_their_key(&store).await;
    takes_no_name_twice(&store).await;
    loses_no_update(&store).await;
    follows_members(&store).await;
    filters_and_pages(&store).await;
}

fn id(kind: AccountKind, id: &str) -> AccountId {
    AccountId::new(kind, id)
}

async fn one(store: &impl KeyStore, id: &AccountId) -> Option<Account> {
    store
        .accounts(std::slice::from_ref(id))
        .await
        .unwrap()
        .pop()
}

fn full(account: AccountId, text: &str) -> Account {
    let mut account = Account::new(account, NOW);
    account.alias = Some(text.to_owned());
    account.email = Some(text.to_owned());
    account.organization_id = Some(text.to_owned());
    account.role = Role::ProxyAdminViewer;
    account.members = vec![
        member(text, Role::TeamAdmin),
        member("robin", Role::InternalUser),
    ];
    account.rights.models = Models::Only(vec![text.to_owned()]);
    account.rights.guardrails = BTreeSet::from([text.to_owned()]);
    account.metadata = BTreeMap::from([(text.to_owned(), noted(text))]);
    account.blocked = true;
    account.created_by = text.to_owned();
    account.updated_at = NOW + Duration::from_millis(1);
    account.version = 3;
    account
}

fn member(user_id: &str, role: Role) -> Member {
    Member {
        user_id: user_id.to_owned(),
        role,
    }
}

async fn keeps_every_field(store: &impl KeyStore) {
    for kind in AccountKind::ALL {
        for text in HOSTILE {
            let mut account = full(id(kind, text), text);
            store.insert_account(account.clone()).await.unwrap();
            assert_eq!(one(store, &account.id).await, Some(account.clone()));
            account.metadata.clear();
            account.alias = None;
            account.blocked = false;
            account.version = 4;
            assert!(store.replace_account(account.clone(), 3).await.unwrap());
            assert_eq!(one(store, &account.id).await, Some(account));
        }
    }
    assert_eq!(one(store, &id(AccountKind::Team, "nobody's")).await, None);
    assert_eq!(one(store, &id(AccountKind::Team, "\0")).await, None);
    assert_eq!(store.accounts(&[]).await.unwrap(), []);
}

/// The same id is another account in each kind.
async fn gives_them_with_their_key(store: &impl KeyStore) {
    let name = "its own and its owner's";
    let mut record = key();
    record.organization_id = Some(name.to_owned());
    record.team_id = Some("without a record".to_owned());
    record.user_id = Some(name.to_owned());
    store.insert(record.clone()).await.unwrap();
    for (kinds, least) in [(&[][..], 0), (&AccountKind::ALL[..], 2)] {
        for kind in kinds {
            store
                .insert_account(full(id(*kind, name), HOSTILE[0]))
                .await
                .unwrap();
        }
        let (found, mut accounts) = store
            .find_with_accounts(&record.digest)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found, record);
        accounts.sort_by(|one, two| one.id.cmp(&two.id));
        let mut expected = Vec::new();
        for kind in [AccountKind::Organization, AccountKind::User] {
            expected.extend(one(store, &id(kind, name)).await);
        }
        assert_eq!(accounts, expected);
        assert_eq!(accounts.len(), least);
    }
    store.remove(&record.key_id).await.unwrap();
}

async fn takes_no_name_twice(store: &impl KeyStore) {
    for kind in AccountKind::ALL {
        let mut account = Account::new(id(kind, "once"), NOW);
        store.insert_account(account.clone()).await.unwrap();
        account.deleted_at = Some(NOW);
        account.version = 2;
        assert!(store.replace_account(account.clone(), 1).await.unwrap());
        let refused = store
            .insert_account(Account::new(account.id.clone(), NOW))
            .await;
        assert!(
            matches!(refused, Err(StoreError::Taken(field)) if field == kind.id_field()),
            "{refused:?}"
        );
        // Deleted stays deleted, with its first date.
        for (seen, later) in [(2, None), (3, Some(NOW * 2))] {
            account.deleted_at = later;
            assert!(store.replace_account(account.clone(), seen).await.unwrap());
            let kept = one(store, &account.id).await.unwrap();
            assert_eq!((kept.deleted_at, kept.version), (Some(NOW), seen + 1));
        }
    }
}

const WRITERS: usize = 16;

async fn loses_no_update(store: &(impl KeyStore + Clone)) {
    let account = Account::new(id(AccountKind::Team, "busy"), NOW);
    store.insert_account(account.clone()).await.unwrap();
    assert!(!store.replace_account(account.clone(), 2).await.unwrap());
    let absent = Account::new(id(AccountKind::Team, "absent"), NOW);
    assert!(!store.replace_account(absent, 1).await.unwrap());
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let (store, id) = (store.clone(), account.id.clone());
            tokio::spawn(async move {
                loop {
                    let mut now = one(&store, &id).await.unwrap();
                    let user = format!("user {number}");
                    now.members.push(member(&user, Role::InternalUser));
                    let seen = now.version;
                    if store.replace_account(now, seen).await.unwrap() {
                        break;
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let last = one(store, &account.id).await.unwrap();
    let users: BTreeSet<&str> = last
        .members
        .iter()
        .map(|member| member.user_id.as_str())
        .collect();
    assert_eq!(users.len(), WRITERS);
    assert_eq!(last.version, 17);
    for number in 0..WRITERS {
        let mut query = AccountQuery::new(AccountKind::Team);
        query.member = Some(format!("user {number}"));
        assert_eq!(
            store.list_accounts(&query).await.unwrap(),
            std::slice::from_ref(&last)
        );
    }
}

async fn follows_members(store: &impl KeyStore) {
    let of = async |user: &str| {
        let mut query = AccountQuery::new(AccountKind::Organization);
        query.member = Some(user.to_owned());
        store.list_accounts(&query).await.unwrap().len()
    };
    let mut account = Account::new(id(AccountKind::Organization, "members"), NOW);
    account.members = vec![member("sam", Role::OrgAdmin), member("sam", Role::OrgAdmin)];
    store.insert_account(account.clone()).await.unwrap();
    assert_eq!((of("sam").await, of("kim").await), (1, 0));
    account.members = vec![member("kim", Role::InternalUser)];
    assert!(store.replace_account(account.clone(), 1).await.unwrap());
    assert_eq!((of("sam").await, of("kim").await), (0, 1));
    account.members = vec![member("sam", Role::InternalUser)];
    assert!(!store.replace_account(account.clone(), 1).await.unwrap());
    assert_eq!(
        (of("sam").await, of("kim").await),
        (0, 1),
        "what was refused changed nothing"
    );
    account.members.clear();
    assert!(store.replace_account(account, 2).await.unwrap());
    assert_eq!((of("sam").await, of("kim").await), (0, 0));
}

/// Users alone: the other kinds are those of the tests before.
async fn filters_and_pages(store: &impl KeyStore) {
    let names = ["B", "a", "b", "Ä", "z", "🗝"];
    for name in names {
        let mut account = Account::new(id(AccountKind::User, name), NOW);
        account.organization_id = Some("filtered".to_owned());
        account.alias = Some(format!("alias of {name}"));
        account.deleted_at = (name == "z").then_some(NOW);
        store.insert_account(account).await.unwrap();
    }
    type Edit = fn(&mut AccountQuery);
    let table: [(Edit, &[&str]); 6] = [
        (|_| (), &["B", "a", "b", "Ä", "🗝"]),
        (
            |query| query.deleted = true,
            &["B", "a", "b", "z", "Ä", "🗝"],
        ),
        (|query| query.alias = Some("alias of a".to_owned()), &["a"]),
        (|query| query.alias = Some("alias of %".to_owned()), &[]),
        (|query| query.member = Some("\0".to_owned()), &[]),
        (|query| query.member = Some("robin".to_owned()), &[]),
    ];
    for (edit, expected) in table {
        for limit in [1, 2, 1_000] {
            let mut query = AccountQuery::new(AccountKind::User);
            query.organization_id = Some("filtered".to_owned());
            query.limit = limit;
            edit(&mut query);
            let mut seen = Vec::new();
            loop {
                let found = store.list_accounts(&query).await.unwrap();
                assert!(found.len() <= limit);
                let Some(last) = found.last() else { break };
                query.after = Some(last.id.id.clone());
                seen.extend(found.into_iter().map(|account| account.id.id));
            }
            assert_eq!(seen, expected, "pages of {limit}");
        }
    }
}
