//! Who calls, where it is not a key that tells: tokens, certificates, trusted peers, and all of them against each other.

#![cfg(feature = "jwt")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod idp;
mod support;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::jwt::{Algorithm, ClaimMap, Jwt};
use bartizan_auth::{
    Account, AccountId, AccountKind, AuthLayer, CertificateField, CertificateMap, KeyRequest,
    KeyStore, Keys, MemoryStore, TrustedPeers,
};
use bartizan_core::{
    Body, ClientCertificate, ManualClock, Models, PeerIp, Principal, Refusal, Role,
};
use http::{HeaderValue, Request, Response};
use idp::{Idp, Mood, Signer, with};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use support::{Fault, FaultyStore, MASTER, admin, keys, master};
use tower::{Layer, ServiceExt, service_fn};

/// A gateway's door, an issuer, and what came through.
struct Door {
    keys: Keys,
    store: FaultyStore,
    signer: Signer,
    idp: Idp,
    jwt: Jwt,
    clock: ManualClock,
    inside: Arc<Mutex<Vec<http::request::Parts>>>,
}

#[derive(Default)]
struct Sent<'a> {
    bearer: Option<&'a str>,
    headers: Vec<(&'a str, &'a [u8])>,
    certificate: Option<&'a str>,
    from: Option<&'a str>,
    model: Option<&'a str>,
}

/// What a request came to: who is inside, or the code of the refusal and its status.
type Outcome = Result<Principal, (&'static str, u16)>;

impl Door {
    fn new(edit: impl FnOnce(&mut ClaimMap)) -> Self {
        let clock = idp::clock();
        let store = FaultyStore::new(MemoryStore::new());
        let signer = Signer::new("k", Algorithm::EdDsa);
        let idp = Idp::new(&[signer.jwk()]);
        let mut claims = ClaimMap::default();
        edit(&mut claims);
        let issuer = idp::issuer(&[Algorithm::EdDsa]).claims(claims);
        let jwt = idp.with(issuer, &clock).build().unwrap();
        Self {
            keys: keys(store.clone(), &clock),
            store,
            signer,
            idp,
            jwt,
            clock,
            inside: Arc::default(),
        }
    }

    fn layer(&self) -> AuthLayer {
        AuthLayer::new(self.keys.clone())
            .master_key(master())
            .master_key_may_call_models()
            .jwt(self.jwt.clone())
    }

    fn token(&self, changes: Value) -> String {
        self.signer.token(&with(changes))
    }

    /// Mints a key, and gives its text and its name.
    async fn mint(&self, alias: &str) -> (String, String) {
        let mut request = KeyRequest::default();
        request.alias = Some(alias.to_owned());
        let minted = self.keys.generate(&admin(), request).await.unwrap();
        (
            minted.key.expose_secret().to_owned(),
            minted.record.key_id.as_str().to_owned(),
        )
    }

    async fn send(&self, layer: &AuthLayer, sent: Sent<'_>) -> Outcome {
        let model = sent.model.unwrap_or("gpt-4o");
        let body = format!(r#"{{"model":"{model}","messages":[]}}"#);
        let mut request = Request::post("/v1/chat/completions")
            .body(Body::from(body))
            .unwrap();
        let headers = request.headers_mut();
        if let Some(bearer) = sent.bearer {
            let value = format!("Bearer {bearer}").parse().unwrap();
            headers.insert("authorization", value);
        }
        for (name, value) in sent.headers {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let extensions = request.extensions_mut();
        if let Some(name) = sent.certificate {
            let mut certificate = ClientCertificate::new(format!("CN={name}"), [0; 32]);
            certificate.common_name = Some(name.to_owned());
            extensions.insert(certificate);
        }
        if let Some(from) = sent.from {
            extensions.insert(PeerIp(from.parse().unwrap()));
        }
        let inside = Arc::clone(&self.inside);
        let service = layer.layer(service_fn(move |request: Request<Body>| {
            inside.lock().unwrap().push(request.into_parts().0);
            async { Ok::<_, Infallible>(Response::new(Body::empty())) }
        }));
        let before = self.inside.lock().unwrap().len();
        let answer = service.oneshot(request).await.unwrap();
        let passed = self.inside.lock().unwrap().len() > before;
        match answer.extensions().get::<Refusal>() {
            Some(refusal) => {
                assert!(!passed, "refused and let through");
                Err((refusal.code(), answer.status().as_u16()))
            }
            None => {
                let inside = self.inside.lock().unwrap();
                let parts = inside.last().unwrap();
                for name in parts.headers.keys() {
                    let name = name.as_str();
                    assert!(
                        !name.starts_with("x-bartizan")
                            && name != "x-litellm-team-id"
                            && name != "authorization",
                        "{name} goes on"
                    );
                }
                Ok(parts.extensions.get::<Principal>().unwrap().clone())
            }
        }
    }

    async fn bear(&self, token: &str) -> Outcome {
        let sent = Sent {
            bearer: Some(token),
            ..Sent::default()
        };
        self.send(&self.layer(), sent).await
    }
}

fn codes(outcome: Outcome) -> Result<String, (&'static str, u16)> {
    outcome.map(|principal| principal.key_id().to_owned())
}

#[tokio::test]
async fn a_token_lets_its_bearer_in_bound_by_its_accounts() {
    let door = Door::new(|map| {
        map.team_ids_jwt_field = Some("groups".parse().unwrap());
        map.admin_jwt_scope = Some("admin".to_owned());
    });
    let now = Duration::from_secs(idp::NOW);
    let mut team = Account::new(AccountId::new(AccountKind::Team, "search"), now);
    team.rights.models = Models::Only(vec!["gpt-4o".to_owned()]);
    let user = Account::new(AccountId::new(AccountKind::User, "u-1"), now);
    door.store.insert_account(team).await.unwrap();
    door.store.insert_account(user).await.unwrap();
    let token = door.token(json!({"groups": ["search", "ads"], "scope": "admin"}));
    let layer = door.layer();
    let pick = |team: &'static [u8], model: &'static str| Sent {
        bearer: Some(&token),
        headers: vec![("x-litellm-team-id", team)],
        model: Some(model),
        ..Sent::default()
    };
    let principal = door.send(&layer, pick(b"search", "gpt-4o")).await.unwrap();
    assert_eq!(principal.team_id(), Some("search"));
    assert_eq!(principal.user_id(), Some("u-1"));
    assert!(principal.key_id().starts_with("jwt:"));
    // The account here says what the user may be at most.
    assert_eq!(principal.role(), Role::InternalUser);
    for (team, model, expected) in [
        (&b"search"[..], "o3", Err(("model_not_allowed", 403))),
        (b"ads", "o3", Ok(())),
        (b"payroll", "o3", Err(("team_not_in_jwt", 403))),
        (b"\xff", "o3", Err(("team_not_picked", 400))),
    ] {
        let outcome = door.send(&layer, pick(team, model)).await.map(|_| ());
        assert_eq!(outcome, expected, "{team:?} {model}");
    }
    let both = |two: &'static [u8]| Sent {
        headers: vec![("x-litellm-team-id", b"ads"), ("x-bartizan-team", two)],
        bearer: Some(&token),
        ..Sent::default()
    };
    assert!(door.send(&layer, both(b"ads")).await.is_ok());
    assert_eq!(
        door.send(&layer, both(b"search")).await,
        Err(("team_not_picked", 400))
    );
    assert_eq!(door.bear(&token).await, Err(("team_not_picked", 400)));

    // Blocking the user ends the token here, whatever its issuer thinks.
    door.keys
        .set_account_blocked(&admin(), &AccountId::new(AccountKind::User, "u-1"), true)
        .await
        .unwrap();
    assert_eq!(
        door.send(&layer, pick(b"ads", "o3")).await,
        Err(("blocked_user", 403))
    );
}

#[tokio::test]
async fn every_failure_of_a_token_ends_in_a_refusal_and_never_in_a_principal() {
    let door = Door::new(|_| {});
    let good = door.token(json!({}));
    let (message, _) = good.rsplit_once('.').unwrap();
    for (token, expected) in [
        (format!("{message}."), ("invalid_jwt", 401)),
        (format!("{message}.AAAA"), ("invalid_jwt", 401)),
        ("eyJhbGciOiJub25lIn0.e30.".to_owned(), ("invalid_jwt", 401)),
        (door.token(json!({"aud": "other"})), ("invalid_jwt", 401)),
        (door.token(json!({"exp": 1})), ("expired_jwt", 401)),
        (door.token(json!({"sub": null})), ("jwt_claim_missing", 403)),
        // Not of the form: these can only be the master key.
        ("eyJ.eyJ".to_owned(), ("invalid_api_key", 401)),
        ("a.b.c".to_owned(), ("invalid_api_key", 401)),
        (format!("{good}=="), ("invalid_api_key", 401)),
    ] {
        assert_eq!(door.bear(&token).await, Err(expected), "{token}");
    }
    assert_eq!(door.store.lookups(), 0, "a token went to the store of keys");
    assert!(door.bear(&good).await.is_ok());
    assert!(door.bear(MASTER).await.is_ok());

    // The store, and then the issuer, fail.
    for fault in [Fault::Error, Fault::Hang] {
        door.store.fail(fault);
        let other = door.token(json!({"sub": format!("{fault:?}")}));
        assert_eq!(door.bear(&other).await, Err(("auth_unavailable", 503)));
    }
    door.store.fail(Fault::None);
    let cold = Door::new(|_| {});
    cold.idp.is(Mood::Away);
    assert_eq!(
        cold.bear(&cold.token(json!({}))).await,
        Err(("auth_unavailable", 503))
    );

    // Where tokens are not configured, one is nothing but a wrong key.
    let plain = AuthLayer::new(door.keys.clone()).master_key(master());
    let sent = Sent {
        bearer: Some(&good),
        ..Sent::default()
    };
    assert_eq!(door.send(&plain, sent).await, Err(("invalid_api_key", 401)));
}

#[tokio::test]
async fn a_certificate_stands_for_the_key_that_its_rule_names() {
    let door = Door::new(|_| {});
    let (key, id) = door.mint("payments").await;
    let (other, other_id) = door.mint("search").await;
    let map = CertificateMap::new()
        .rule(CertificateField::CommonName, "payments", &id)
        .and_then(|map| map.rule(CertificateField::CommonName, "search", "search"))
        .and_then(|map| map.rule(CertificateField::CommonName, "gone", "nobody"))
        .unwrap();
    let layer = door.layer().certificates(map);
    let token = door.token(json!({}));
    let ambiguous = Err(("ambiguous_identity", 401));
    let unknown = Err(("invalid_api_key", 401));
    for (certificate, bearer, expected) in [
        (Some("payments"), None, Ok(id.clone())),
        (Some("search"), None, Ok(other_id.clone())),
        (Some("stranger"), None, unknown.clone()),
        (Some("gone"), None, unknown.clone()),
        (None, None, unknown.clone()),
        (Some("payments"), Some(key.as_str()), Ok(id.clone())),
        (Some("search"), Some(other.as_str()), Ok(other_id.clone())),
        (Some("payments"), Some(other.as_str()), ambiguous.clone()),
        (Some("payments"), Some(MASTER), ambiguous.clone()),
        (Some("payments"), Some(token.as_str()), ambiguous.clone()),
        (Some("gone"), Some(key.as_str()), ambiguous.clone()),
        (Some("stranger"), Some(key.as_str()), Ok(id.clone())),
        (None, Some(key.as_str()), Ok(id.clone())),
        // A wrong credential is wrong, whatever the certificate.
        (Some("payments"), Some("sk-wrong"), unknown.clone()),
    ] {
        let sent = Sent {
            certificate,
            bearer,
            ..Sent::default()
        };
        assert_eq!(
            codes(door.send(&layer, sent).await),
            expected,
            "{certificate:?} {bearer:?}"
        );
    }

    let by_certificate = |name: &'static str| Sent {
        certificate: Some(name),
        ..Sent::default()
    };
    door.keys.set_blocked(&admin(), &id, true).await.unwrap();
    assert_eq!(
        door.send(&layer, by_certificate("payments")).await,
        Err(("blocked_key", 403))
    );
    door.keys.set_blocked(&admin(), &id, false).await.unwrap();
    assert!(door.send(&layer, by_certificate("payments")).await.is_ok());
    door.keys.revoke(&admin(), &other_id).await.unwrap();
    assert!(door.send(&layer, by_certificate("search")).await.is_err());
    door.store.fail(Fault::Error);
    door.clock.advance(Duration::from_secs(31));
    assert_eq!(
        door.send(&layer, by_certificate("payments")).await,
        Err(("auth_unavailable", 503))
    );
}

#[tokio::test]
async fn a_certificate_as_second_factor_is_no_identity() {
    let door = Door::new(|_| {});
    let (key, id) = door.mint("payments").await;
    let (free, free_id) = door.mint("free").await;
    let map = CertificateMap::new()
        .rule(CertificateField::CommonName, "payments", "payments")
        .unwrap()
        .certificate_bound();
    let layer = door.layer().certificates(map);
    let required = Err(("certificate_required", 403));
    for (certificate, bearer, expected) in [
        (Some("payments"), Some(key.as_str()), Ok(id.clone())),
        (Some("search"), Some(key.as_str()), required.clone()),
        (None, Some(key.as_str()), required.clone()),
        (Some("payments"), None, Err(("invalid_api_key", 401))),
        (Some("payments"), Some(free.as_str()), Ok(free_id.clone())),
        (None, Some(free.as_str()), Ok(free_id.clone())),
    ] {
        let sent = Sent {
            certificate,
            bearer,
            ..Sent::default()
        };
        assert_eq!(
            codes(door.send(&layer, sent).await),
            expected,
            "{certificate:?}"
        );
    }
}

#[tokio::test]
async fn a_trusted_peer_is_believed_and_nobody_else() {
    let door = Door::new(|_| {});
    let (key, id) = door.mint("payments").await;
    let (other, _) = door.mint("search").await;
    let peers = TrustedPeers::new().addresses(["10.0.0.7/32".parse().unwrap()]);
    let map = CertificateMap::new()
        .rule(CertificateField::CommonName, "payments", &id)
        .unwrap();
    let trusting = door.layer().trusted_peers(peers.clone());
    let plain = door.layer();
    let named = [("x-bartizan-key-id", id.as_bytes())];
    let user: [(&str, &[u8]); 2] = [
        ("x-bartizan-user-id", b"asha"),
        ("x-bartizan-team-id", b"search"),
    ];
    let empty: [(&str, &[u8]); 1] = [("x-bartizan-user-id", b"")];
    let unknown = Err(("invalid_api_key", 401));
    let ambiguous = Err(("ambiguous_identity", 401));
    for (layer, from, headers, bearer, expected) in [
        (&trusting, "10.0.0.7", &named[..], None, Ok(id.clone())),
        (
            &trusting,
            "10.0.0.7",
            &named[..],
            Some(key.as_str()),
            Ok(id.clone()),
        ),
        (
            &trusting,
            "10.0.0.7",
            &named[..],
            Some(other.as_str()),
            ambiguous.clone(),
        ),
        (
            &trusting,
            "10.0.0.7",
            &user[..],
            Some(key.as_str()),
            ambiguous.clone(),
        ),
        (
            &trusting,
            "10.0.0.7",
            &user[..],
            Some(MASTER),
            ambiguous.clone(),
        ),
        (
            &trusting,
            "10.0.0.7",
            &empty[..],
            None,
            Err(("unclear_identity", 401)),
        ),
        (&trusting, "10.0.0.7", &[][..], None, unknown.clone()),
        (
            &trusting,
            "10.0.0.7",
            &[][..],
            Some(key.as_str()),
            Ok(id.clone()),
        ),
        (&trusting, "10.0.0.8", &named[..], None, unknown.clone()),
        (
            &trusting,
            "10.0.0.8",
            &user[..],
            Some(key.as_str()),
            Ok(id.clone()),
        ),
        (&plain, "10.0.0.7", &named[..], None, unknown.clone()),
        (
            &plain,
            "10.0.0.7",
            &user[..],
            Some(key.as_str()),
            Ok(id.clone()),
        ),
    ] {
        let sent = Sent {
            from: Some(from),
            headers: headers.to_vec(),
            bearer,
            ..Sent::default()
        };
        assert_eq!(
            codes(door.send(layer, sent).await),
            expected,
            "{from} {headers:?} {bearer:?}"
        );
    }
    let vouched = Sent {
        from: Some("10.0.0.7"),
        headers: user.to_vec(),
        // The proxy's own certificate, which elsewhere is an identity.
        certificate: Some("payments"),
        ..Sent::default()
    };
    let both = door.layer().trusted_peers(peers).certificates(map);
    let principal = door.send(&both, vouched).await.unwrap();
    assert_eq!(
        (principal.user_id(), principal.team_id()),
        (Some("asha"), Some("search"))
    );
    assert_eq!(principal.role(), Role::InternalUser);
    assert!(principal.key_id().starts_with("peer:"));
}

#[tokio::test]
async fn a_bound_key_that_a_peer_names_needs_its_certificate_too() {
    let door = Door::new(|_| {});
    let (_, id) = door.mint("payments").await;
    let layer = door
        .layer()
        .trusted_peers(TrustedPeers::new().addresses(["10.0.0.7/32".parse().unwrap()]))
        .certificates(
            CertificateMap::new()
                .rule(CertificateField::CommonName, "payments", &id)
                .unwrap()
                .certificate_bound(),
        );
    for (certificate, expected) in [
        (Some("payments"), Ok(id.clone())),
        (Some("edge"), Err(("certificate_required", 403))),
        (None, Err(("certificate_required", 403))),
    ] {
        let sent = Sent {
            from: Some("10.0.0.7"),
            headers: vec![("x-bartizan-key-id", id.as_bytes())],
            certificate,
            ..Sent::default()
        };
        assert_eq!(
            codes(door.send(&layer, sent).await),
            expected,
            "{certificate:?}"
        );
    }
}
