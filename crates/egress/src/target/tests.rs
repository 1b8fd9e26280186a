use proptest::prelude::*;

use super::*;

fn parts() -> request::Parts {
    let request = Request::post(
        "http://gateway.local/v1/chat/completions?key=sk-caller-1&api_base=http://evil.example",
    );
    let request = request
        .header("host", "evil.example")
        .header("x-api-key", "sk-caller-2")
        .header("anthropic-beta", "b")
        .header("api-version", "caller's");
    request.body(()).unwrap().into_parts().0
}

fn target() -> Target {
    Target::new("https://api.example/v1/")
        .unwrap()
        .bearer("sk-canary-provider".into())
        .unwrap()
}

#[test]
fn a_request_goes_to_the_target_and_nothing_of_the_callers_choice_remains() {
    let target = target()
        .query("api-version", "2024-10-21")
        .query("a b", "c&d")
        .header(
            HeaderName::from_static("api-version"),
            HeaderValue::from_static("ours"),
        );
    let request = target.request(parts(), "/chat/completions", ()).unwrap();
    assert_eq!(
        request.uri(),
        "https://api.example/v1/chat/completions?api-version=2024-10-21&a%20b=c%26d"
    );
    assert_eq!(request.headers().get("api-version").unwrap(), "ours");
    assert_eq!(request.headers().get("anthropic-beta").unwrap(), "b");
    let everything = format!("{request:?}");
    assert!(
        !everything.contains("sk-") && !everything.contains("evil"),
        "{everything}"
    );
}

#[test]
fn a_credential_goes_to_its_own_origin_only() {
    let target = target();
    for elsewhere in [
        "http://api.example/v1",
        "https://api.example:8443/v1",
        "https://evil.example/v1",
        "https://api.example.evil.example/",
        "https://x@api.example/",
        "/v1/chat/completions",
    ] {
        let mut headers = HeaderMap::new();
        assert!(
            target
                .authorize(&elsewhere.parse().unwrap(), &mut headers)
                .is_err(),
            "{elsewhere}"
        );
        assert!(headers.is_empty(), "{elsewhere}");
    }
    let mut headers = HeaderMap::new();
    target
        .authorize(
            &"https://API.example:443/other".parse().unwrap(),
            &mut headers,
        )
        .unwrap();
    let value = headers.get(AUTHORIZATION).unwrap();
    assert_eq!(value, "Bearer sk-canary-provider");
    assert!(value.is_sensitive());
}

#[test]
fn no_debug_output_shows_the_credential() {
    let request = target().request(parts(), "/x", ()).unwrap();
    for text in [
        format!("{:?}", target()),
        format!("{:#?}", request.extensions()),
        format!("{:?}", request.headers()),
    ] {
        assert!(!text.contains("canary"), "{text}");
    }
    let mut headers = HeaderMap::new();
    target().authorize(request.uri(), &mut headers).unwrap();
    assert!(!format!("{headers:?}").contains("canary"));
}

#[test]
fn a_secret_that_would_split_a_header_is_refused() {
    for secret in ["", "a\r\nx-admin: 1", "a\nb", "a\0b", "schlüssel"] {
        let error = Target::new("https://api.example")
            .unwrap()
            .bearer(secret.into())
            .unwrap_err();
        assert!(matches!(error, Error::Credential));
        assert!(secret.is_empty() || !error.to_string().contains(secret));
    }
}

#[test]
fn a_method_that_opens_a_tunnel_or_echoes_headers_is_refused() {
    for method in [Method::CONNECT, Method::TRACE] {
        let mut parts = parts();
        parts.method = method;
        assert!(matches!(
            target().request(parts, "/x", ()),
            Err(Error::Method)
        ));
    }
}

#[test]
fn a_path_that_climbs_is_refused() {
    for path in [
        "/..",
        "/../admin",
        "/a/../b",
        "/./a",
        "/a//b",
        "//evil.example/a",
        "/%2e%2e/a",
        "/.%2E/a",
        "/a/%2E",
        "/..%2fadmin",
        "/a%2f..%2fb",
        "/a\\b",
        "/..%5cadmin",
        "/a%5c..%5cb",
        "/a%2f",
        "/a?x=1",
        "/a#x",
        "/a%00",
        "a",
        "https://evil.example/",
        "/a b",
        "/a/",
    ] {
        assert!(target().request(parts(), path, ()).is_err(), "{path}");
    }
    for base in [
        "https://api.example/../v1",
        "https://api.example//v1",
        "https://api.example/v1?x",
        "https://user@api.example/v1",
        "api.example/v1",
    ] {
        assert!(Target::new(base).is_err(), "{base}");
    }
    for path in [
        "",
        "/chat/completions",
        "/models/gemini-2.5:generateContent",
        "/model/arn%3Aaws%3Abedrock%2Fx/converse",
        "/a..b/...",
    ] {
        assert!(target().request(parts(), path, ()).is_ok(), "{path}");
    }
}

proptest! {
    #[test]
    fn an_encoded_segment_stays_one_segment(name in any::<String>()) {
        if let Ok(encoded) = segment(&name) {
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{encoded}");
            prop_assert_eq!(percent_decode_str(&encoded).decode_utf8().unwrap(), name);
            let request = target().request(parts(), &format!("/models/{encoded}/x"), ());
            prop_assert!(request.is_ok());
        }
    }

    #[test]
    fn no_path_leaves_the_base(path in r"/?([a./\\%25eEfF?#@:]{0,3}/?){0,6}") {
        if let Ok(request) = target().request(parts(), &path, ()) {
            prop_assert_eq!(request.uri().authority().unwrap().as_str(), "api.example");
            prop_assert_eq!(request.uri().path(), format!("/v1{path}"));
            prop_assert_eq!(request.uri().query(), None);
        }
    }
}
