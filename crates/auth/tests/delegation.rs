//! Rights only narrow: whatever is minted with whatever, changed and narrowed afterwards, a key is let in only where each key that it descends
//! from would be.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use bartizan_auth::{
    Account, AccountChange, AccountId, AccountKind, AccountRequest, Addresses, AuthLayer,
    KeyChange, KeyId, KeyRecord, KeyRequest, KeyStore, Keys, MemoryStore, Rights, RightsChange,
    Routes,
};
use bartizan_core::{
    Body, Budget, ClientIp, Decimal, Limits, ManualClock, Models, Period, Principal, Role,
};
use http::{Request, Response};
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use support::{admin, clock, pepper};
use tower::{Layer, ServiceExt, service_fn};

const MODELS: [&str; 4] = ["gpt-4o", "gpt-4o-mini", "claude-haiku-4-5", "o3"];
const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/messages", "/v1/responses"];
const ADDRESSES: [&str; 3] = ["10.0.0.1", "10.0.1.1", "192.0.2.7"];
const TIMES: [u64; 3] = [0, 3_000, 90_000];

#[derive(Clone, Debug)]
enum Deed {
    Mint(usize, Box<Wish>),
    Update(usize, usize, Box<Wish>),
    Regenerate(usize, usize),
    Block(usize),
    Purge(usize),
    Bound(AccountKind, Box<Wish>),
}

#[derive(Clone, Debug)]
struct Wish {
    models: Option<Models>,
    routes: Option<Routes>,
    addresses: Option<Addresses>,
    rpm: Option<u32>,
    budget: Option<u32>,
    duration: Option<Period>,
    role: Role,
    user: Option<&'static str>,
    guardrail: Option<&'static str>,
}

fn wishes() -> impl Strategy<Value = Wish> {
    let models = prop::collection::vec(
        prop::sample::select(vec!["gpt-4o", "gpt-4o*", "claude-*", "o3", "small", "*"]),
        0..4,
    )
    .prop_map(|names| Models::Only(names.into_iter().map(str::to_owned).collect()));
    let routes = prop::collection::vec(
        prop::sample::select(vec!["/v1/chat/completions", "/v1/*", "/v1/m*", "*"]),
        0..3,
    )
    .prop_map(|paths| Routes::Only(paths.into_iter().map(str::to_owned).collect()));
    let addresses = prop::collection::vec(
        prop::sample::select(vec![
            "10.0.0.0/8",
            "10.0.0.0/24",
            "192.0.2.7/32",
            "0.0.0.0/0",
        ]),
        0..3,
    )
    .prop_map(|ranges| {
        Addresses::Only(ranges.iter().map(|range| range.parse().unwrap()).collect())
    });
    let rest = (
        prop::option::of(1_u32..100),
        prop::option::of(1_u32..100),
        prop::option::of(prop::sample::select(vec!["1s", "1h", "1d"])),
        prop::sample::select(vec![
            Role::InternalUser,
            Role::TeamAdmin,
            Role::OrgAdmin,
            Role::ProxyAdmin,
        ]),
        prop::option::of(prop::sample::select(vec!["robin", "kim"])),
        prop::option::of(prop::sample::select(vec!["pii", "secrets"])),
    );
    (
        prop::option::of(models),
        prop::option::of(routes),
        prop::option::of(addresses),
        rest,
    )
        .prop_map(|(models, routes, addresses, rest)| {
            let (rpm, budget, duration, role, user, guardrail) = rest;
            Wish {
                models,
                routes,
                addresses,
                rpm,
                budget,
                duration: duration.map(|text| text.parse().unwrap()),
                role,
                user,
                guardrail,
            }
        })
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let wish = || wishes().prop_map(Box::new);
    let kind = prop::sample::select(AccountKind::ALL.to_vec());
    let deed = prop_oneof![
        5 => (0_usize..12, wish()).prop_map(|(by, wish)| Deed::Mint(by, wish)),
        4 => (0_usize..12, 0_usize..12, wish()).prop_map(|(by, whose, wish)| Deed::Update(by, whose, wish)),
        1 => (0_usize..12, 0_usize..12).prop_map(|(by, whose)| Deed::Regenerate(by, whose)),
        1 => (0_usize..12).prop_map(Deed::Block),
        1 => (0_usize..12).prop_map(Deed::Purge),
        1 => (kind, wish()).prop_map(|(kind, wish)| Deed::Bound(kind, wish)),
    ];
    prop::collection::vec(deed, 1..16)
}

/// A key, and what the test itself knows of where it comes from.
struct Minted {
    key: SecretString,
    key_id: KeyId,
    ancestors: Vec<KeyId>,
}

struct World {
    keys: Keys,
    store: MemoryStore,
    clock: ManualClock,
    minted: Vec<Minted>,
    /// The latest end that each key ever had: a key that was given an end later doesn't take those with it that it minted before.
    ends: BTreeMap<KeyId, Option<Duration>>,
}

impl World {
    async fn new() -> Self {
        let (store, clock) = (MemoryStore::new(), clock());
        let groups = BTreeMap::from([(
            "small".to_owned(),
            vec!["gpt-4o-mini".to_owned(), "claude-haiku-*".to_owned()],
        )]);
        let keys = Keys::builder(store.clone(), pepper())
            .clock(clock.clone())
            .access_groups(groups)
            .build();
        for kind in AccountKind::ALL {
            let mut request = AccountRequest::of(AccountId::new(kind, name(kind)));
            if kind != AccountKind::Organization {
                request.organization_id = Some("acme".to_owned());
            }
            if kind == AccountKind::User {
                request.role = Some(Role::ProxyAdmin);
            }
            keys.create_account(&admin(), request).await.unwrap();
        }
        let mut world = Self {
            keys,
            store,
            clock,
            minted: Vec::new(),
            ends: BTreeMap::new(),
        };
        for role in [
            Role::InternalUser,
            Role::TeamAdmin,
            Role::OrgAdmin,
            Role::ProxyAdmin,
        ] {
            let mut request = KeyRequest::default();
            request.role = Some(role);
            request.team_id = Some("search".to_owned());
            request.user_id = Some("robin".to_owned());
            request.organization_id = Some("acme".to_owned());
            let first = world.keys.generate(&admin(), request).await.unwrap();
            world.remember(first.key, &first.record, Vec::new());
        }
        world
    }

    fn remember(&mut self, key: SecretString, record: &KeyRecord, ancestors: Vec<KeyId>) {
        self.ends.insert(record.key_id.clone(), record.expires_at);
        self.minted.push(Minted {
            key,
            key_id: record.key_id.clone(),
            ancestors,
        });
    }

    fn pick(&self, number: usize) -> &Minted {
        &self.minted[number % self.minted.len()]
    }

    async fn principal(&self, number: usize) -> Option<Principal> {
        self.keys
            .verify(self.pick(number).key.expose_secret())
            .await
            .ok()
    }

    /// Does it, as far as it is allowed. Gives whether it was.
    async fn act(&mut self, deed: &Deed) -> bool {
        match deed {
            Deed::Mint(by, wish) => {
                let Some(principal) = self.principal(*by).await else {
                    return false;
                };
                let Ok(new) = self.keys.generate(&principal, request(wish)).await else {
                    return false;
                };
                let by = self.pick(*by);
                let mut ancestors = by.ancestors.clone();
                ancestors.push(by.key_id.clone());
                self.remember(new.key, &new.record, ancestors);
            }
            Deed::Update(by, whose, wish) => {
                let Some(principal) = self.principal(*by).await else {
                    return false;
                };
                let whose = self.pick(*whose).key_id.to_string();
                let Ok(changed) = self
                    .keys
                    .update(&principal, &whose, change(wish), None)
                    .await
                else {
                    return false;
                };
                let latest = self.ends.get_mut(&changed.after.key_id).unwrap();
                *latest = match (*latest, changed.after.expires_at) {
                    (Some(one), Some(two)) => Some(one.max(two)),
                    _ => None,
                };
            }
            Deed::Regenerate(by, whose) => {
                let Some(principal) = self.principal(*by).await else {
                    return false;
                };
                let whose = *whose % self.minted.len();
                let key_id = self.minted[whose].key_id.to_string();
                let Ok(new) = self.keys.regenerate(&principal, &key_id, None).await else {
                    return false;
                };
                self.minted[whose].key = new.key;
                // Whoever regenerates a key holds it from now on.
                let by = self.pick(*by).key.clone();
                for call in calls() {
                    let may = self.is_let_in(&self.minted[whose].key, call).await;
                    assert!(
                        !may || self.is_let_in(&by, call).await,
                        "it got hold of a greater key: {call:?}"
                    );
                }
            }
            Deed::Block(whose) => {
                let whose = self.pick(*whose).key_id.to_string();
                return self.keys.set_blocked(&admin(), &whose, true).await.is_ok();
            }
            Deed::Purge(whose) => {
                let whose = self.pick(*whose).key_id.to_string();
                return self.keys.purge(&admin(), &whose).await.is_ok();
            }
            Deed::Bound(kind, wish) => {
                let mut bound = AccountChange::default();
                bound.rights = rights_change(wish);
                let id = AccountId::new(*kind, name(*kind));
                return self
                    .keys
                    .update_account(&admin(), &id, bound, None)
                    .await
                    .is_ok();
            }
        }
        true
    }

    async fn record(&self, key_id: &KeyId) -> Option<KeyRecord> {
        self.store
            .get(std::slice::from_ref(key_id))
            .await
            .unwrap()
            .pop()
    }

    async fn is_let_in(&self, key: &SecretString, call: (&str, &str, &str)) -> bool {
        let (model, path, address) = call;
        let service =
            AuthLayer::new(self.keys.clone()).layer(service_fn(|_: Request<Body>| async {
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }));
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", key.expose_secret()))
            .extension(ClientIp(address.parse().unwrap()))
            .body(Body::from(format!(
                r#"{{"model":"{model}","messages":[]}}"#
            )))
            .unwrap();
        service.oneshot(request).await.unwrap().status() == 200
    }

    /// Holds every key against every key that it descends from.
    async fn check(&self) -> (usize, usize) {
        let (mut in_, mut out) = (0, 0);
        let now = bartizan_core::Clock::unix(&self.clock);
        for minted in &self.minted {
            let Ok(principal) = self.keys.verify(minted.key.expose_secret()).await else {
                continue;
            };
            for ancestor in &minted.ancestors {
                let elder = self.record(ancestor).await;
                let latest = self.ends[ancestor];
                assert!(latest.is_none_or(|end| now < end), "it outlives {ancestor}");
                let Some(elder) = elder else { continue };
                for (model, path, address) in calls() {
                    if !self.is_let_in(&minted.key, (model, path, address)).await {
                        out += 1;
                        continue;
                    }
                    in_ += 1;
                    assert!(
                        allows(&elder.rights, model, path, address.parse().unwrap()),
                        "{} does {model} {path} {address}, and its elder {ancestor} may not",
                        minted.key_id
                    );
                }
                assert!(
                    elder.role.covers(principal.role()),
                    "{:?} over {:?}",
                    principal.role(),
                    elder.role
                );
                assert!(
                    elder
                        .rights
                        .guardrails
                        .iter()
                        .all(|name| principal.guardrails().contains(name))
                );
                let theirs = self
                    .minted
                    .iter()
                    .find(|other| other.key_id == *ancestor)
                    .unwrap();
                if let Ok(theirs) = self.keys.verify(theirs.key.expose_secret()).await {
                    let mut scopes = theirs.scopes().iter();
                    assert!(
                        scopes.all(|scope| principal.scopes().contains(scope)),
                        "{} is bound by less than {ancestor}",
                        minted.key_id
                    );
                }
            }
            // And against its accounts.
            for kind in AccountKind::ALL {
                let account: Account = self
                    .keys
                    .account(&admin(), &AccountId::new(kind, name(kind)))
                    .await
                    .unwrap();
                let record = self.record(&minted.key_id).await.unwrap();
                let named = match kind {
                    AccountKind::Organization => &record.organization_id,
                    AccountKind::Team => &record.team_id,
                    _ => &record.user_id,
                };
                if named.as_deref() != Some(name(kind)) {
                    continue;
                }
                for (model, path, address) in calls() {
                    if self.is_let_in(&minted.key, (model, path, address)).await {
                        assert!(
                            allows(&account.rights, model, path, address.parse().unwrap()),
                            "{kind:?}"
                        );
                    }
                }
            }
        }
        (in_, out)
    }
}

fn calls() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    MODELS
        .into_iter()
        .zip(PATHS.into_iter().cycle())
        .flat_map(|(model, path)| {
            ADDRESSES
                .into_iter()
                .map(move |address| (model, path, address))
        })
}

fn allows(rights: &Rights, model: &str, path: &str, address: IpAddr) -> bool {
    let small = ["gpt-4o-mini", "claude-haiku-4-5"].contains(&model);
    let named =
        matches!(&rights.models, Models::Only(names) if names.iter().any(|name| name == "small"));
    (rights.models.allow(model) || small && named)
        && rights.routes.allow(path)
        && rights.addresses.allow(address)
}

fn name(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Organization => "acme",
        AccountKind::Team => "search",
        _ => "robin",
    }
}

fn request(wish: &Wish) -> KeyRequest {
    let mut request = KeyRequest::default();
    request.models = wish.models.clone();
    request.routes = wish.routes.clone().unwrap_or_default();
    request.addresses = wish.addresses.clone().unwrap_or_default();
    request.limits = Limits {
        rpm: wish.rpm,
        ..Limits::default()
    };
    request.budget = Budget {
        max_budget: wish.budget.map(Decimal::from),
        ..Budget::default()
    };
    request.duration = wish.duration;
    request.role = Some(wish.role);
    request.user_id = wish.user.map(str::to_owned);
    request.guardrails = wish
        .guardrail
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    request
}

fn rights_change(wish: &Wish) -> RightsChange {
    let mut rights = RightsChange::default();
    rights.models = wish.models.clone();
    rights.routes = wish.routes.clone();
    rights.addresses = wish.addresses.clone();
    rights.rpm = wish.rpm.map(Some);
    rights.max_budget = wish.budget.map(|budget| Some(Decimal::from(budget)));
    rights
}

fn change(wish: &Wish) -> KeyChange {
    let mut change = KeyChange::default();
    change.rights = rights_change(wish);
    change.rights.guardrails = wish.guardrail.map(|name| [name.to_owned()].into());
    change.duration = Some(wish.duration);
    change.role = Some(wish.role);
    change
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_key_is_let_in_where_one_that_it_descends_from_is_not(deeds in deeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for deed in &deeds {
                world.act(deed).await;
            }
            for seconds in TIMES {
                world.clock.advance(Duration::from_secs(seconds));
                world.check().await;
            }
        });
    }
}

#[tokio::test]
async fn the_property_above_sees_calls_that_pass_and_calls_that_do_not() {
    let mut world = World::new().await;
    let narrow = Wish {
        models: Some(Models::Only(vec!["gpt-4o*".to_owned()])),
        routes: None,
        addresses: None,
        rpm: Some(9),
        budget: None,
        duration: None,
        role: Role::InternalUser,
        user: None,
        guardrail: Some("pii"),
    };
    assert!(world.act(&Deed::Mint(1, Box::new(narrow.clone()))).await);
    assert!(world.act(&Deed::Mint(4, Box::new(narrow.clone()))).await);
    assert!(world.act(&Deed::Regenerate(4, 5)).await);
    assert!(world.act(&Deed::Update(1, 4, Box::new(narrow))).await);
    let (in_, out) = world.check().await;
    assert!(in_ > 0 && out > 0, "{in_} {out}");
}
