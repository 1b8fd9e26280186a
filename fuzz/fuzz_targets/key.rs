//! No header opens the door but one with a key, and none that may hold a key goes on.
//!
//! An input is lines of `name: value`; `MASTER` and `MINTED` in a value stand for keys that open.

#![no_main]

use std::convert::Infallible;
use std::sync::LazyLock;
use std::time::Duration;

use bartizan::auth::{
    AuthLayer, KeyId, KeyRequest, Keys, MasterKey, MemoryStore, Pepper, Period, VirtualKey,
};
use bartizan::core::{Body, ManualClock, Principal};
use http::{HeaderName, HeaderValue, Request, Response};
use libfuzzer_sys::fuzz_target;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Runtime;
use tower::{Layer, ServiceExt};

const MASTER: &str = "sk-5a0d83f7c2164be99e7b20f1d86c4a3e";
const CREDENTIALS: [&str; 5] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-litellm-api-key",
];

struct Door {
    runtime: Runtime,
    layer: AuthLayer,
    minted: String,
}

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let master = MasterKey::new(SecretString::from(MASTER)).expect("a strong key");
    let pepper = Pepper::new(&SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05"))
        .expect("a strong pepper");
    let clock = ManualClock::at(Duration::from_secs(1_700_000_000));
    let keys = Keys::builder(MemoryStore::new(), pepper)
        .clock(clock)
        .build();
    let admin = master.verify(MASTER).expect("the master key");
    let minted = runtime
        .block_on(keys.generate(&admin, KeyRequest::default()))
        .expect("a key")
        .key;
    Door {
        runtime,
        layer: AuthLayer::new(keys)
            .master_key(master)
            .master_key_may_call_models(),
        minted: minted.expose_secret().to_owned(),
    }
});

fuzz_target!(|bytes: &[u8]| {
    let door = &*DOOR;
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(
            VirtualKey::parse(text).is_none_or(|_| text.len() == 55 && text.starts_with("sk-bz-"))
        );
        assert!(
            VirtualKey::parse(&text.replace("MINTED", &door.minted)).is_none()
                || text.len() == 55
                || text == "MINTED"
        );
        assert!(KeyId::parse(text).is_none_or(|id| id.as_str() == text));
        if let Ok(period) = text.parse::<Period>() {
            let _ = period.after(Duration::from_secs(1_700_000_000));
            let _ = period.after(Duration::MAX);
        }
    }

    let mut request = Request::post("/v1/chat/completions")
        .body(Body::from("{}"))
        .expect("a request");
    let mut values = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n').take(64) {
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = substitute(value.get(1..).unwrap_or_default(), &door.minted);
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name),
            HeaderValue::from_bytes(value.trim_ascii()),
        ) else {
            continue;
        };
        if CREDENTIALS.contains(&name.as_str()) {
            values.push((name.clone(), value.clone()));
        }
        request.headers_mut().append(name, value);
    }
    let inner = tower::service_fn(|request: Request<Body>| async move {
        assert!(
            CREDENTIALS
                .iter()
                .all(|name| !request.headers().contains_key(*name)),
            "a credential goes on"
        );
        assert!(request.extensions().get::<Principal>().is_some());
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let answer = door
        .runtime
        .block_on(door.layer.layer(inner).oneshot(request))
        .expect("an answer");
    match answer.status().as_u16() {
        200 => {
            let mut tokens = values.iter().map(|(name, value)| token(name, value));
            let first = tokens.next().expect("a credential");
            assert!(first == MASTER.as_bytes() || first == door.minted.as_bytes());
            assert!(tokens.all(|token| token == first));
        }
        status => assert_eq!(status, 401),
    }
});

fn substitute(value: &[u8], minted: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = value;
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(b"MASTER") {
            out.extend_from_slice(MASTER.as_bytes());
            rest = after;
        } else if let Some(after) = rest.strip_prefix(b"MINTED") {
            out.extend_from_slice(minted.as_bytes());
            rest = after;
        } else {
            out.push(*first);
            rest = &rest[1..];
        }
    }
    out
}

fn token<'v>(name: &HeaderName, value: &'v HeaderValue) -> &'v [u8] {
    let value = value.as_bytes();
    match name.as_str() {
        "authorization" => value.get(6..).unwrap_or_default().trim_ascii_start(),
        _ => value,
    }
}
