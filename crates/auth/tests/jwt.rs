//! What a token must be to say anything.

#![cfg(feature = "jwt")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod idp;

use std::time::Duration;

use bartizan_auth::jwt::{Algorithm, Issuer, Jwt, JwtDenied};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use idp::{AUDIENCE, ISSUER, Idp, NOW, Signer, b64, claims, clock, issuer, with};
use proptest::prelude::*;
use serde_json::{Value, json};

fn claim(name: &str) -> JwtDenied {
    JwtDenied::Claim(name.into())
}

async fn verdict(jwt: &Jwt, token: &str) -> Result<(), JwtDenied> {
    jwt.verify(token, None).await.map(|_| ())
}

#[tokio::test]
async fn every_algorithm_that_can_be_configured_is_verified() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::new("k", algorithm);
        let jwt = Idp::new(&[signer.jwk()]).jwt(&[algorithm], &clock());
        let token = signer.token(&claims());
        assert!(Jwt::claimed_by(&token));
        let said = jwt.verify(&token, None).await.unwrap();
        assert_eq!(said.user_id.as_deref(), Some("u-1"), "{algorithm}");

        // One bit of each part turns it.
        let parts: Vec<&str> = token.split('.').collect();
        let other = signer.token(&with(json!({"sub": "u-2"})));
        let other: Vec<&str> = other.split('.').collect();
        let swapped = format!("{}.{}.{}", parts[0], other[1], parts[2]);
        assert_eq!(verdict(&jwt, &swapped).await, Err(JwtDenied::Signature));
        let stranger = match algorithm.as_str().as_bytes()[0] {
            // There is one RSA key in these tests: the other one's signature is of another text.
            b'R' | b'P' => continue,
            _ => Signer::new("k", algorithm),
        };
        assert_eq!(
            verdict(&jwt, &stranger.token(&claims())).await,
            Err(JwtDenied::Signature)
        );
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_each_for_its_reason() {
    let signer = Signer::new("k", Algorithm::Es256);
    let stranger = Signer::new("stranger", Algorithm::Es256);
    let rsa = Signer::new("rsa", Algorithm::Rs256);
    let weak: Value = serde_json::from_str(include_str!("data/weak-rsa.jwk")).unwrap();
    let idp = Idp::new(&[signer.jwk(), rsa.jwk(), weak]);
    let algorithms = [Algorithm::Es256, Algorithm::Rs256, Algorithm::Es384];
    let jwt = idp.jwt(&algorithms, &clock());
    let header = |changes: Value| {
        let mut header = signer.header();
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        header.to_string()
    };
    let headed = |changes: Value| signer.token_of(&header(changes), &claims().to_string());
    let hmac = |secret: &[u8]| {
        let message = format!(
            "{}.{}",
            b64(json!({"alg": "HS256", "typ": "JWT", "kid": "rsa"}).to_string()),
            b64(claims().to_string())
        );
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        format!(
            "{message}.{}",
            b64(ring::hmac::sign(&key, message.as_bytes()))
        )
    };
    let good = signer.token(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let modulus = rsa.jwk()["n"].as_str().unwrap().to_owned();
    let unsigned = format!(
        "{}.{}",
        b64(header(json!({"alg": "none"}))),
        b64(claims().to_string())
    );

    let table: Vec<(&str, String, JwtDenied)> = vec![
        (
            "alg none without a signature",
            format!("{unsigned}."),
            JwtDenied::Malformed,
        ),
        (
            "alg none with one",
            format!("{unsigned}.{signature}"),
            JwtDenied::Malformed,
        ),
        (
            "alg nOnE",
            headed(json!({"alg": "nOnE"})),
            JwtDenied::Malformed,
        ),
        (
            "no alg",
            signer.token_of(r#"{"typ":"JWT","kid":"k"}"#, &claims().to_string()),
            JwtDenied::Malformed,
        ),
        (
            "HMAC with the public key as its secret",
            hmac(rsa.jwk().to_string().as_bytes()),
            JwtDenied::Algorithm,
        ),
        (
            "HMAC with the modulus as its secret",
            hmac(modulus.as_bytes()),
            JwtDenied::Algorithm,
        ),
        ("HMAC with an empty secret", hmac(b""), JwtDenied::Algorithm),
        (
            "an algorithm that isn't the issuer's",
            headed(json!({"alg": "PS256", "kid": "rsa"})),
            JwtDenied::Algorithm,
        ),
        (
            "a key of another kind than the algorithm",
            headed(json!({"alg": "RS256"})),
            JwtDenied::Key,
        ),
        (
            "a curve of another size than the key",
            headed(json!({"alg": "ES384"})),
            JwtDenied::Key,
        ),
        (
            "an RSA key for ECDSA",
            headed(json!({"kid": "rsa"})),
            JwtDenied::Key,
        ),
        (
            "an RSA key under 2048 bits",
            include_str!("data/weak-rsa.jwt").to_owned(),
            JwtDenied::Key,
        ),
        (
            "the signature taken off",
            format!("{message}."),
            JwtDenied::Signature,
        ),
        (
            "the signature cut",
            format!("{message}.{}", &signature[..signature.len() - 2]),
            JwtDenied::Signature,
        ),
        (
            "a signature of zeros",
            format!("{message}.{}", b64([0; 64])),
            JwtDenied::Signature,
        ),
        (
            "another's signature under a known name",
            {
                let message = format!("{}.{}", b64(header(json!({}))), b64(claims().to_string()));
                format!(
                    "{message}.{}",
                    b64(stranger.sign(Algorithm::Es256, message.as_bytes()))
                )
            },
            JwtDenied::Signature,
        ),
        (
            "a key that isn't published",
            stranger.token(&claims()),
            JwtDenied::Key,
        ),
        (
            "no kid where there are several keys",
            signer.token_of(r#"{"alg":"ES256"}"#, &claims().to_string()),
            JwtDenied::Key,
        ),
        ("an empty kid", headed(json!({"kid": ""})), JwtDenied::Key),
        (
            "a kid that is a path",
            headed(json!({"kid": "../../../../dev/null"})),
            JwtDenied::Key,
        ),
        (
            "a kid that is a query",
            headed(json!({"kid": "k' UNION SELECT 'x"})),
            JwtDenied::Key,
        ),
        (
            "a kid that is a command",
            headed(json!({"kid": "|whoami"})),
            JwtDenied::Key,
        ),
        (
            "a kid with a zero",
            headed(json!({"kid": "k\u{0}"})),
            JwtDenied::Key,
        ),
        (
            "a kid of another case",
            headed(json!({"kid": "K"})),
            JwtDenied::Key,
        ),
        (
            "a kid that is no text",
            headed(json!({"kid": 1})),
            JwtDenied::Malformed,
        ),
        (
            "a kid that is an array",
            headed(json!({"kid": ["k"]})),
            JwtDenied::Malformed,
        ),
        (
            "a kid of 10 KB",
            headed(json!({"kid": "k".repeat(10_000)})),
            JwtDenied::Malformed,
        ),
        (
            "a kid of 300 bytes",
            headed(json!({"kid": "k".repeat(300)})),
            JwtDenied::Malformed,
        ),
        (
            "a key that it brings itself",
            stranger.token_of(
                &json!({"alg": "ES256", "kid": "k", "jwk": stranger.jwk()}).to_string(),
                &claims().to_string(),
            ),
            JwtDenied::Signature,
        ),
        (
            "an address of keys that it brings itself",
            stranger.token_of(
                &json!({"alg": "ES256", "kid": "stranger", "jku": "https://evil.example/keys"})
                    .to_string(),
                &claims().to_string(),
            ),
            JwtDenied::Key,
        ),
        (
            "an address of a certificate",
            stranger.token_of(
                &json!({"alg": "ES256", "kid": "stranger", "x5u": "https://evil.example/c.pem"})
                    .to_string(),
                &claims().to_string(),
            ),
            JwtDenied::Key,
        ),
        (
            "an extension that is critical",
            headed(json!({"crit": ["b64"], "b64": false})),
            JwtDenied::Critical,
        ),
        (
            "an empty list of critical extensions",
            headed(json!({"crit": []})),
            JwtDenied::Critical,
        ),
        (
            "critical extensions that are no list",
            headed(json!({"crit": "exp"})),
            JwtDenied::Malformed,
        ),
        (
            "a proof of possession",
            headed(json!({"typ": "dpop+jwt"})),
            JwtDenied::Type,
        ),
        (
            "a token for logging out",
            headed(json!({"typ": "logout+jwt"})),
            JwtDenied::Type,
        ),
        (
            "a type between spaces",
            headed(json!({"typ": " JWT"})),
            JwtDenied::Type,
        ),
        (
            "two issuers",
            signer.token_of(
                &header(json!({})),
                &claims()
                    .to_string()
                    .replacen('{', r#"{"iss":"https://evil.example","#, 1),
            ),
            JwtDenied::Malformed,
        ),
        (
            "two expiries",
            signer.token_of(
                &header(json!({})),
                &claims()
                    .to_string()
                    .replacen('{', r#"{"exp":9999999999,"#, 1),
            ),
            JwtDenied::Malformed,
        ),
        (
            "a subject twice, once in escapes",
            signer.token_of(
                &header(json!({})),
                &claims()
                    .to_string()
                    .replacen('{', r#"{"s\u0075b":"root","#, 1),
            ),
            JwtDenied::Malformed,
        ),
        (
            "two algorithms",
            signer.token_of(
                &header(json!({})).replacen('{', r#"{"alg":"none","#, 1),
                &claims().to_string(),
            ),
            JwtDenied::Malformed,
        ),
        (
            "claims that are an array",
            signer.token_of(&header(json!({})), "[]"),
            JwtDenied::Issuer,
        ),
        (
            "claims with something behind",
            signer.token_of(&header(json!({})), &format!("{} {{}}", claims())),
            JwtDenied::Malformed,
        ),
        (
            "claims deeper than anybody's",
            signer.token_of(
                &header(json!({})),
                &claims().to_string().replacen(
                    '{',
                    &format!(r#"{{"x":{}{},"#, "[".repeat(40), "]".repeat(40)),
                    1,
                ),
            ),
            JwtDenied::Malformed,
        ),
        (
            "a lone surrogate",
            signer.token_of(
                &header(json!({})),
                &claims().to_string().replacen("u-1", r"\ud800", 1),
            ),
            JwtDenied::Malformed,
        ),
        (
            "more than 8 KB",
            signer.token(&with(json!({"x": "y".repeat(8 * 1024)}))),
            JwtDenied::Malformed,
        ),
        ("two parts", message.to_owned(), JwtDenied::Malformed),
        (
            "four parts",
            format!("{good}.{signature}"),
            JwtDenied::Malformed,
        ),
        (
            "padding",
            format!("{message}.{signature}=="),
            JwtDenied::Malformed,
        ),
        (
            "the other alphabet",
            format!("{message}.{}", STANDARD.encode([0xfb; 64])),
            JwtDenied::Malformed,
        ),
        ("a space", format!("{good} "), JwtDenied::Malformed),
        (
            "not ASCII",
            format!("{message}.ü{signature}"),
            JwtDenied::Malformed,
        ),
        ("nothing", String::new(), JwtDenied::Malformed),
        ("dots", "..".to_owned(), JwtDenied::Malformed),
        (
            "another issuer",
            signer.token(&with(json!({"iss": "https://evil.example"}))),
            JwtDenied::Issuer,
        ),
        (
            "an issuer with a slash more",
            signer.token(&with(json!({"iss": format!("{ISSUER}/")}))),
            JwtDenied::Issuer,
        ),
        (
            "an issuer of another case",
            signer.token(&with(json!({"iss": "https://IDP.example"}))),
            JwtDenied::Issuer,
        ),
        (
            "an issuer in a list",
            signer.token(&with(json!({"iss": [ISSUER]}))),
            JwtDenied::Issuer,
        ),
        (
            "another audience",
            signer.token(&with(json!({"aud": "payroll"}))),
            JwtDenied::Audience,
        ),
        (
            "other audiences",
            signer.token(&with(json!({"aud": ["payroll", "gateway2"]}))),
            JwtDenied::Audience,
        ),
        (
            "no audience in a list",
            signer.token(&with(json!({"aud": []}))),
            JwtDenied::Audience,
        ),
        (
            "an audience in a list in a list",
            signer.token(&with(json!({"aud": [[AUDIENCE]]}))),
            JwtDenied::Audience,
        ),
        (
            "an audience of null",
            signer.token(&with(json!({"aud": null}))),
            JwtDenied::Audience,
        ),
        (
            "expired",
            signer.token(&with(json!({"exp": NOW - 60}))),
            JwtDenied::Expired,
        ),
        (
            "not valid yet",
            signer.token(&with(json!({"nbf": NOW + 61}))),
            JwtDenied::Early,
        ),
        (
            "issued in the future",
            signer.token(&with(json!({"iat": NOW + 61}))),
            JwtDenied::Early,
        ),
        (
            "issued too long ago",
            signer.token(&with(json!({"iat": NOW - 86_400 - 60}))),
            JwtDenied::Old,
        ),
        (
            "an expiry in quotes",
            signer.token(&with(json!({"exp": (NOW + 600).to_string()}))),
            claim("exp"),
        ),
        (
            "an expiry before time",
            signer.token(&with(json!({"exp": -1}))),
            claim("exp"),
        ),
        (
            "a nbf that is no time",
            signer.token(&with(json!({"nbf": "soon"}))),
            claim("nbf"),
        ),
        (
            "a subject that is a number",
            signer.token(&with(json!({"sub": 7}))),
            claim("sub"),
        ),
        (
            "a subject that is empty",
            signer.token(&with(json!({"sub": ""}))),
            claim("sub"),
        ),
        (
            "a subject with a line end",
            signer.token(&with(json!({"sub": "a\nb"}))),
            claim("sub"),
        ),
        (
            "a subject longer than a name",
            signer.token(&with(json!({"sub": "s".repeat(257)}))),
            claim("sub"),
        ),
    ];
    for (what, token, reason) in table {
        assert_eq!(verdict(&jwt, &token).await, Err(reason), "{what}");
    }
    for name in ["aud", "exp", "iat", "sub"] {
        let mut without = claims();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(
            verdict(&jwt, &signer.token(&without)).await,
            Err(claim(name)),
            "{name}"
        );
    }
    // What made it be refused was not that all is.
    assert_eq!(verdict(&jwt, &good).await, Ok(()));
}

#[tokio::test]
async fn what_issuers_may_write_is_understood() {
    let signer = Signer::new("k", Algorithm::Es256);
    let jwt = Idp::new(&[signer.jwk()]).jwt(&[Algorithm::Es256], &clock());
    for changes in [
        json!({"aud": ["payroll", AUDIENCE]}),
        json!({"exp": NOW as f64 + 0.5}),
        // The leeway, to the second.
        json!({"exp": NOW - 59}),
        json!({"nbf": NOW + 60}),
        json!({"iat": NOW + 60}),
        json!({"iat": NOW - 86_400 - 59}),
        json!({"name": "Zoë 🦀", "x": {"y": [1, 2.5e300, true, null]}}),
    ] {
        assert_eq!(
            verdict(&jwt, &signer.token(&with(changes.clone()))).await,
            Ok(()),
            "{changes}"
        );
    }
    for header in [
        r#"{"alg":"ES256","kid":"k"}"#,
        r#"{"alg":"ES256","kid":"k","typ":"at+JWT"}"#,
        r#"{"alg":"ES256","kid":"k","typ":"application/at+jwt"}"#,
        r#"{"alg":"ES256","typ":"JWT"}"#,
        r#"{"alg":"ES256","kid":"k","x5t":"abc","jku":"https://idp.example/keys"}"#,
    ] {
        let token = signer.token_of(header, &claims().to_string());
        assert_eq!(verdict(&jwt, &token).await, Ok(()), "{header}");
    }
}

#[tokio::test]
async fn keys_serve_only_what_they_are_published_for() {
    let cases = [
        (json!({}), true),
        (json!({"alg": "RS256"}), true),
        (json!({"alg": "PS256"}), false),
        (json!({"alg": "RSA-OAEP"}), false),
        (json!({"alg": "whatever"}), false),
        (json!({"alg": 5}), false),
        (json!({"use": "enc"}), false),
        (json!({"use": "other"}), false),
        (json!({"key_ops": ["verify"]}), true),
        (json!({"key_ops": ["encrypt"]}), false),
        (json!({"kid": "other"}), false),
        (json!({"kty": "EC"}), false),
        (json!({"n": "AQAB"}), false),
        (json!({"n": ""}), false),
        (json!({"n": "not base64!"}), false),
    ];
    let signer = Signer::new("k", Algorithm::Rs256);
    for (changes, serves) in cases {
        let mut jwk = signer.jwk();
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        let jwt = Idp::new(&[jwk]).jwt(&[Algorithm::Rs256, Algorithm::Ps256], &clock());
        let expected = if serves { Ok(()) } else { Err(JwtDenied::Key) };
        assert_eq!(
            verdict(&jwt, &signer.token(&claims())).await,
            expected,
            "{changes}"
        );
    }
}

#[tokio::test]
async fn an_issuers_key_does_not_vouch_for_another_issuer() {
    let ours = Signer::new("k", Algorithm::Es256);
    let theirs = Signer::new("k", Algorithm::Es256);
    let idp = Idp::new(&[ours.jwk()]);
    let other = Issuer::new("https://other.example", [AUDIENCE])
        .unwrap()
        .algorithms([Algorithm::Es256])
        .jwks_uri("https://other.example/keys")
        .unwrap();
    // One double answers for both, with the keys of the first.
    let jwt = idp
        .with(issuer(&[Algorithm::Es256]), &clock())
        .issuer(other)
        .build()
        .unwrap();
    assert_eq!(verdict(&jwt, &ours.token(&claims())).await, Ok(()));
    let forged = theirs.token(&with(json!({"iss": "https://other.example"})));
    assert_eq!(verdict(&jwt, &forged).await, Err(JwtDenied::Signature));
}

#[tokio::test]
async fn a_remembered_token_ends_when_it_ends() {
    let signer = Signer::new("k", Algorithm::Es256);
    let clock = clock();
    let jwt = Idp::new(&[signer.jwk()]).jwt(&[Algorithm::Es256], &clock);
    let token = signer.token(&with(json!({"exp": NOW + 10})));
    assert_eq!(verdict(&jwt, &token).await, Ok(()));
    clock.advance(Duration::from_secs(70) - Duration::from_nanos(1));
    assert_eq!(verdict(&jwt, &token).await, Ok(()));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(verdict(&jwt, &token).await, Err(JwtDenied::Expired));
}

#[tokio::test]
async fn tokens_with_a_shared_beginning_are_two() {
    let signer = Signer::new("k", Algorithm::Es256);
    let jwt = Idp::new(&[signer.jwk()]).jwt(&[Algorithm::Es256], &clock());
    let token = signer.token(&claims());
    assert_eq!(verdict(&jwt, &token).await, Ok(()));
    // Remembered: neither the same text with another signature nor a beginning of it is the same token.
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut other = signature.to_owned();
    other.replace_range(5..6, if &other[5..6] == "A" { "B" } else { "A" });
    assert_eq!(
        verdict(&jwt, &format!("{message}.{other}")).await,
        Err(JwtDenied::Signature)
    );
    let two = signer.token(&with(json!({"sub": "u-2"})));
    assert_eq!(token[..20], two[..20]);
    let said = jwt.verify(&two, None).await.unwrap();
    assert_eq!(said.user_id.as_deref(), Some("u-2"));
}

#[test]
fn wrong_configurations_cannot_be_built() {
    let idp = Idp::new(&[]);
    let build = |issuer: Issuer| idp.with(issuer, &clock()).build();
    let new = |name: &str| Issuer::new(name, [AUDIENCE]).unwrap();
    for (what, issuer) in [
        ("plain http", new("http://idp.example")),
        ("no address", new("idp")),
        ("a file", new("file:///etc")),
        ("a user in the address", new("https://user@idp.example")),
        (
            "keys over plain http",
            new(ISSUER).jwks_uri("http://idp.example/keys").unwrap(),
        ),
        (
            "keys that are no address",
            new(ISSUER).jwks_uri("/keys").unwrap(),
        ),
        ("no algorithm", new(ISSUER).algorithms([])),
        (
            "keys that are asked for all the time",
            new(ISSUER).public_key_ttl(Duration::from_secs(29)),
        ),
    ] {
        assert!(build(issuer).is_err(), "{what}");
    }
    assert!(Issuer::new("", [AUDIENCE]).is_err());
    assert!(Issuer::new(ISSUER, Vec::<String>::new()).is_err());
    assert!(Issuer::new(ISSUER, [""]).is_err());
    assert!(new(ISSUER).jwks_uri("not an address").is_err());
    assert!(Jwt::builder(idp.clone()).build().is_err());
    let twice = idp.with(new(ISSUER), &clock()).issuer(new(ISSUER));
    assert!(twice.build().is_err());
    assert!(build(new("http://idp.example").dangerously_allow_http()).is_ok());
    for name in [
        "none", "None", "HS256", "HS384", "HS512", "", "es256", "ES256K", "ES512",
    ] {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
}

#[tokio::test]
async fn debug_and_errors_hold_nothing_of_a_token() {
    let signer = Signer::new("k", Algorithm::Es256);
    let jwt = Idp::new(&[signer.jwk()]).jwt(&[Algorithm::Es256], &clock());
    let canary = "canary-7f3a";
    let said = jwt
        .verify(
            &signer.token(&with(json!({"sub": canary, "x": canary}))),
            None,
        )
        .await
        .unwrap();
    assert_eq!(said.user_id.as_deref(), Some(canary));
    assert!(said.key_id.starts_with("jwt:") && !said.key_id.contains(canary));
    assert!(!format!("{jwt:?}").contains(canary));
    for changes in [
        json!({"sub": [canary]}),
        json!({"aud": canary}),
        json!({"exp": canary}),
        json!({"iss": canary}),
    ] {
        let denied = jwt
            .verify(&signer.token(&with(changes)), None)
            .await
            .unwrap_err();
        assert!(!format!("{denied:?} {denied}").contains(canary), "{denied}");
        assert!(!format!("{:?}", bartizan_core::Refusal::from(&denied)).contains(canary));
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_and_none_is_let_in(
        text in prop_oneof![
            any::<String>(),
            "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}",
            (any::<Vec<u8>>(), any::<Vec<u8>>(), any::<Vec<u8>>()).prop_map(|(a, b, c)| format!("{}.{}.{}", b64(a), b64(b), b64(c))),
            ("\\PC{0,30}", "\\PC{0,30}").prop_map(|(a, b)| {
                let header = json!({"alg": "ES256", "kid": a}).to_string();
                let claims = json!({"iss": ISSUER, "sub": b}).to_string();
                format!("{}.{}.{}", b64(header), b64(claims), b64([1; 64]))
            }),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let signer = Signer::new("k", Algorithm::Es256);
        let jwt = Idp::new(&[signer.jwk()]).jwt(&[Algorithm::Es256], &clock());
        let _form = Jwt::claimed_by(&text);
        prop_assert!(runtime.block_on(jwt.verify(&text, None)).is_err());
    }

    #[test]
    fn a_changed_token_is_never_let_in(at in 0_usize..300, to in "[A-Za-z0-9_-]") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let signer = Signer::new("k", Algorithm::EdDsa);
        let jwt = Idp::new(&[signer.jwk()]).jwt(&[Algorithm::EdDsa], &clock());
        let mut token = signer.token(&claims());
        let at = at % token.len();
        prop_assume!(token[at..=at] != to);
        token.replace_range(at..=at, &to);
        prop_assert!(runtime.block_on(jwt.verify(&token, None)).is_err());
    }
}
