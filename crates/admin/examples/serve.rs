//! Serves the management API on a port of its own, over keys in memory: to look at it, and for tools that read its document. There is an organization
//! `acme` with a team `search`, and a user for each role.
//!
//! Prints its address, then a key of each role, a line each. It ends with its input.

use std::io::Read;

use bartizan_admin::{AdminRouter, NoChangeLog};
use bartizan_auth::{
    AccountId, AccountKind, AccountRequest, KeyRequest, Keys, Member, MemoryStore, Pepper,
};
use bartizan_core::{Identity, Principal, Role};
use secrecy::{ExposeSecret, SecretString};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what it prints is what it is for")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random)?;
    let pepper: SecretString = random
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into();
    let keys = Keys::new(MemoryStore::new(), Pepper::new(&pepper)?);
    let first = Principal::assume_verified(Identity::new("first").role(Role::ProxyAdmin));
    hierarchy(&keys, &first).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    for role in Role::ALL {
        let mut request = KeyRequest::default();
        request.role = Some(role);
        request.user_id = Some(role.as_str().to_owned());
        request.team_id = Some("search".to_owned());
        request.organization_id = Some("acme".to_owned());
        let minted = keys.generate(&first, request).await?;
        println!("{} {}", role.as_str(), minted.key.expose_secret());
    }
    let router = AdminRouter::new(keys, NoChangeLog).build();
    let serve = tokio::spawn(async move { axum::serve(listener, router).await });
    // Whoever started it holds the other end.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    serve.abort();
    Ok(())
}

async fn hierarchy(keys: &Keys, first: &Principal) -> Result<(), bartizan_auth::Error> {
    let members = |admin| {
        let member = move |role: Role| Member {
            user_id: role.as_str().to_owned(),
            role: match role {
                Role::InternalUserViewer => role,
                role if role == admin => admin,
                _ => Role::InternalUser,
            },
        };
        Role::ALL.into_iter().map(member).collect::<Vec<_>>()
    };
    let organization = AccountId::new(AccountKind::Organization, "acme");
    let mut request = AccountRequest::of(organization);
    request.members = members(Role::OrgAdmin);
    keys.create_account(first, request).await?;
    for role in Role::ALL {
        let mut request = AccountRequest::of(AccountId::new(AccountKind::User, role.as_str()));
        request.organization_id = Some("acme".to_owned());
        request.role = Some(role);
        keys.create_account(first, request).await?;
    }
    let mut request = AccountRequest::of(AccountId::new(AccountKind::Team, "search"));
    request.organization_id = Some("acme".to_owned());
    request.members = members(Role::TeamAdmin);
    keys.create_account(first, request).await?;
    Ok(())
}
