//! What it takes to know who calls: a key, a token whose signature is checked, a token that was seen a moment ago; a
//! key with all that binds it, cached and not.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

use bartizan::auth::jwt::{Algorithm, Fetch, FetchError, Fetched, Issuer, Jwt};
use bartizan::auth::{
    AccountId, AccountKind, AccountRequest, Addresses, AuthLayer, KeyRequest, Keys, KeysBuilder,
    MasterKey, MemoryStore, Pepper, Routes, SqliteStore,
};
use bartizan::core::{Body, ClientIp, ManualClock, Models};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use http::{Request, Response, StatusCode, Uri};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use secrecy::ExposeSecret;
use tower::{Layer, ServiceExt, service_fn};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MASTER: &str = "sk-6f0d2b9c4e8a71f3d5b60c9e82a4f71d";
const NOW: u64 = 1_700_000_000;

struct Published(String);

impl Fetch for Published {
    async fn get(&self, _: &Uri, _: usize) -> Result<Fetched, FetchError> {
        Ok(Fetched::new(StatusCode::OK, self.0.clone().into_bytes()))
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// As providers write them: some 900 characters.
fn message(algorithm: Algorithm) -> String {
    let header = format!(r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":"k"}}"#);
    let groups: Vec<String> = (0..12)
        .map(|group| format!("\"group-{group:04}\""))
        .collect();
    let claims = format!(
        r#"{{"iss":"https://idp.example","aud":["gateway","account"],"sub":"7d9f5b1e-0c2a-4a44-9d0f-2f0e2b6a9c11","iat":{NOW},"exp":{},"jti":"0b6c5c1f-7a43-4c8e-8a3c-4b1f8f2d6e90","azp":"console","scope":"openid profile email","email":"asha@example.org","email_verified":true,"name":"Asha Rao","groups":[{}],"realm_access":{{"roles":["offline_access","default-roles","llm-user"]}}}}"#,
        NOW + 3_600,
        groups.join(",")
    );
    format!("{}.{}", encode(header), encode(claims))
}

fn jwt(algorithm: Algorithm, key: &str, memory: Duration) -> Jwt {
    let issuer = Issuer::new("https://idp.example", ["gateway"])
        .unwrap()
        .algorithms([algorithm])
        .jwks_uri("https://idp.example/keys")
        .unwrap();
    Jwt::builder(Published(format!(r#"{{"keys":[{key}]}}"#)))
        .issuer(issuer)
        .token_ttl(memory)
        .clock(ManualClock::at(Duration::from_secs(NOW)))
        .build()
        .unwrap()
}

fn identify(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let random = SystemRandom::new();
    let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
    let es256 = EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref(), &random).unwrap();
    let (x, y) = es256.public_key().as_ref().split_at(33);
    let es256_key = format!(
        r#"{{"kty":"EC","crv":"P-256","kid":"k","x":"{}","y":"{}"}}"#,
        encode(x.get(1..).unwrap()),
        encode(y)
    );
    let text = message(Algorithm::Es256);
    let made = es256.sign(&random, text.as_bytes()).unwrap();
    let es256 = format!("{text}.{}", encode(made));

    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let ed_key = format!(
        r#"{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{}"}}"#,
        encode(pair.public_key())
    );
    let text = message(Algorithm::EdDsa);
    let ed = format!("{text}.{}", encode(pair.sign(text.as_bytes())));

    let mut group = criterion.benchmark_group("identify");
    for (name, algorithm, key, token, memory) in [
        ("ES256, verified", Algorithm::Es256, &es256_key, &es256, 0),
        ("EdDSA, verified", Algorithm::EdDsa, &ed_key, &ed, 0),
        (
            "ES256, seen a moment ago",
            Algorithm::Es256,
            &es256_key,
            &es256,
            30,
        ),
    ] {
        let jwt = jwt(algorithm, key, Duration::from_secs(memory));
        // The keys are fetched by the first.
        runtime.block_on(jwt.verify(token, None)).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                runtime
                    .block_on(jwt.verify(black_box(token), None))
                    .unwrap()
            });
        });
    }

    let pepper = Pepper::new(&"b04d8f7e2c6a4915a3e87d50c1f962ab".into()).unwrap();
    let keys = Keys::new(MemoryStore::new(), pepper);
    let admin = MasterKey::new(MASTER.into())
        .unwrap()
        .verify(MASTER)
        .unwrap();
    let minted = runtime
        .block_on(keys.generate(&admin, KeyRequest::default()))
        .unwrap();
    let key = minted.key.expose_secret().to_owned();
    group.bench_function("virtual key, cached", |bencher| {
        bencher.iter(|| runtime.block_on(keys.verify(black_box(&key))).unwrap());
    });
    let jwt = jwt(Algorithm::Es256, &es256_key, Duration::from_secs(30));
    group.bench_function("ES256, seen a moment ago, and its principal", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let claims = jwt.verify(black_box(&es256), None).await.unwrap();
                keys.principal_of(claims).await.unwrap()
            })
        });
    });
    group.finish();
}

/// A key in a team, and its user, of an organisation; all of them have records that bind it.
async fn in_accounts(keys: &Keys) -> String {
    let admin = MasterKey::new(MASTER.into())
        .unwrap()
        .verify(MASTER)
        .unwrap();
    for (kind, id) in [
        (AccountKind::Organization, "acme"),
        (AccountKind::Team, "search"),
        (AccountKind::User, "robin"),
    ] {
        let mut request = AccountRequest::of(AccountId::new(kind, id));
        if kind != AccountKind::Organization {
            request.organization_id = Some("acme".to_owned());
        }
        request.rights.models = Models::Only(vec!["gpt-*".to_owned(), "claude-*".to_owned()]);
        request.rights.routes = Routes::Only(vec!["/v1/*".to_owned()]);
        request.rights.addresses = Addresses::Only(vec!["10.0.0.0/8".parse().unwrap()]);
        request.rights.bounds.limits.rpm = Some(1_000_000);
        keys.create_account(&admin, request).await.unwrap();
    }
    let mut request = KeyRequest::default();
    request.team_id = Some("search".to_owned());
    request.user_id = Some("robin".to_owned());
    request.models = Some(Models::Only(vec!["gpt-4o".to_owned()]));
    let minted = keys.generate(&admin, request).await.unwrap();
    minted.key.expose_secret().to_owned()
}

fn chained(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let pepper = || Pepper::new(&"b04d8f7e2c6a4915a3e87d50c1f962ab".into()).unwrap();
    let keys = Keys::new(MemoryStore::new(), pepper());
    let key = runtime.block_on(in_accounts(&keys));
    let mut group = criterion.benchmark_group("key in organization, team and user");
    group.bench_function("cached", |bencher| {
        bencher.iter(|| runtime.block_on(keys.verify(black_box(&key))).unwrap());
    });
    // With the layer's own work: headers, address, path. A GET names no model, so that no body is read.
    let service = AuthLayer::new(keys).layer(service_fn(|request: Request<Body>| async move {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    }));
    let from = ClientIp("10.1.2.3".parse().unwrap());
    let request = || {
        Request::get("/v1/models")
            .header("authorization", format!("Bearer {key}"))
            .extension(from)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(
        runtime
            .block_on(service.clone().oneshot(request()))
            .unwrap()
            .status(),
        StatusCode::OK
    );
    group.bench_function("cached, through the layer", |bencher| {
        bencher.iter_batched(
            request,
            |request| runtime.block_on(service.clone().oneshot(request)).unwrap(),
            BatchSize::SmallInput,
        );
    });

    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(folder.path().join("keys.db")).unwrap();
    // Nothing is remembered, so that each is looked up.
    let of = |builder: KeysBuilder| builder.cache_ttl(Duration::ZERO).build();
    for (name, keys) in [
        (
            "a miss, in memory",
            of(Keys::builder(MemoryStore::new(), pepper())),
        ),
        ("a miss, SQLite", of(Keys::builder(sqlite, pepper()))),
    ] {
        let key = runtime.block_on(in_accounts(&keys));
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(keys.verify(black_box(&key))).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, identify, chained);
criterion_main!(benches);
