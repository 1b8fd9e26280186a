//! No bytes are taken for a token of the issuer, and what the issuer itself signs says no more than its claims.
//!
//! An input is either a token's text, or a header and claims with a line end between, which are signed by the issuer's key.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bartizan::auth::jwt::{
    Algorithm, ClaimMap, Fetch, FetchError, Fetched, Issuer, Jwt, RoleMapping,
};
use bartizan::core::{ManualClock, Role};
use http::{StatusCode, Uri};
use libfuzzer_sys::fuzz_target;
use ring::signature::{Ed25519KeyPair, KeyPair};
use tokio::runtime::Runtime;

struct Published(String);

impl Fetch for Published {
    async fn get(&self, _: &Uri, _: usize) -> Result<Fetched, FetchError> {
        Ok(Fetched::new(StatusCode::OK, self.0.clone().into_bytes()))
    }
}

struct Idp {
    runtime: Runtime,
    jwt: Jwt,
    pair: Ed25519KeyPair,
}

static IDP: LazyLock<Idp> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let x = URL_SAFE_NO_PAD.encode(pair.public_key());
    let set = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}}"#);
    let mut claims = ClaimMap::default();
    claims.team_ids_jwt_field = Some("groups".parse().expect("a path"));
    claims.team_optional = true;
    claims.user_roles_jwt_field = Some("realm.roles".parse().expect("a path"));
    claims.role_mappings = vec![RoleMapping::new("viewer", Role::ProxyAdminViewer)];
    let issuer = Issuer::new("https://idp.example", ["gateway"])
        .and_then(|issuer| issuer.jwks_uri("https://idp.example/keys"))
        .expect("an issuer")
        .algorithms([Algorithm::EdDsa])
        .claims(claims);
    let jwt = Jwt::builder(Published(set))
        .issuer(issuer)
        .clock(ManualClock::at(Duration::from_secs(1_700_000_000)))
        .build()
        .expect("a verifier");
    Idp { runtime, jwt, pair }
});

fuzz_target!(|bytes: &[u8]| {
    let idp = &*IDP;
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _form = Jwt::claimed_by(text);
        assert!(idp.runtime.block_on(idp.jwt.verify(text, None)).is_err());
    }
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let (header, claims) = bytes.split_at(end);
    let claims = &claims[1..];
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let made = URL_SAFE_NO_PAD.encode(idp.pair.sign(message.as_bytes()));
    let token = format!("{message}.{made}");
    let Ok(said) = idp.runtime.block_on(idp.jwt.verify(&token, None)) else {
        return;
    };
    // Whatever else it is, it is this for every other reader too.
    let claims: serde_json::Value = serde_json::from_slice(claims).expect("JSON");
    let header: serde_json::Value = serde_json::from_slice(header).expect("JSON");
    assert_eq!(header["alg"], "EdDSA");
    assert!(header.get("crit").is_none_or(serde_json::Value::is_null));
    assert_eq!(claims["iss"], "https://idp.example");
    assert_eq!(claims["sub"].as_str(), said.user_id.as_deref());
    assert!(claims["exp"].as_f64().is_some_and(|end| end > 1_699_999_940.0));
    match said.role {
        Some(Role::ProxyAdminViewer) => assert!(claims["realm"]["roles"].to_string().contains("viewer")),
        role => assert_eq!(role, Some(Role::InternalUser)),
    }
});
