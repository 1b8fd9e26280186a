//! What attackers try.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;
use support::{Api, MASTER};

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from("{}")).unwrap()
}

#[tokio::test]
async fn no_spelling_of_a_path_and_no_header_opens_what_the_role_does_not() {
    let api = Api::in_memory();
    let (viewer, _) = api
        .mint(r#"{"user_id":"robin","user_role":"internal_user_viewer"}"#)
        .await;
    let bearer = format!("Bearer {viewer}");
    let key = ("authorization", bearer.as_str());
    for (path, expected) in [
        ("/key/generate", StatusCode::FORBIDDEN),
        ("//key/generate", StatusCode::NOT_FOUND),
        ("/key//generate", StatusCode::NOT_FOUND),
        ("/key/generate/", StatusCode::NOT_FOUND),
        ("/key/%67enerate", StatusCode::NOT_FOUND),
        ("/key%2fgenerate", StatusCode::NOT_FOUND),
        ("/key/./generate", StatusCode::NOT_FOUND),
        ("/key/info/../generate", StatusCode::NOT_FOUND),
        ("/key/%2e%2e/key/generate", StatusCode::NOT_FOUND),
        ("/key/generate;a=b", StatusCode::NOT_FOUND),
        ("/KEY/generate", StatusCode::NOT_FOUND),
        ("/key/generate%00", StatusCode::NOT_FOUND),
        ("/key/generate?key=x", StatusCode::FORBIDDEN),
        ("/key/list", StatusCode::METHOD_NOT_ALLOWED),
        ("/", StatusCode::NOT_FOUND),
        ("/v1/chat/completions", StatusCode::NOT_FOUND),
    ] {
        let told = api.send(request("POST", path, &[key])).await;
        assert_eq!(told.status, expected, "{path}: {}", told.text);
        let told = api.send(request("POST", path, &[])).await;
        assert_eq!(
            told.status,
            StatusCode::UNAUTHORIZED,
            "{path} without a key"
        );
    }
    for (name, value) in [
        ("host", "localhost"),
        ("host", "admin.internal"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-prefix", "/health"),
        ("x-original-url", "/key/info"),
        ("x-rewrite-url", "/key/info"),
        ("forwarded", "for=127.0.0.1;host=localhost"),
        ("x-http-method-override", "GET"),
        ("x-method-override", "GET"),
        ("x-http-method", "GET"),
        ("litellm-changed-by", "master_key"),
        ("x-user-role", "proxy_admin"),
    ] {
        let told = api
            .send(request("POST", "/key/generate", &[key, (name, value)]))
            .await;
        assert_eq!(told.status, StatusCode::FORBIDDEN, "{name}: {value}");
        let told = api
            .send(request("POST", "/key/generate", &[(name, value)]))
            .await;
        assert_eq!(told.status, StatusCode::UNAUTHORIZED, "{name}: {value}");
    }
    for (method, path, expected) in [
        ("HEAD", "/key/info", StatusCode::OK),
        ("HEAD", "/key/generate", StatusCode::METHOD_NOT_ALLOWED),
        ("OPTIONS", "/key/generate", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/key/generate", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/key/info?_method=POST", StatusCode::BAD_REQUEST),
        ("PUT", "/team/update", StatusCode::METHOD_NOT_ALLOWED),
        ("TRACE", "/key/info", StatusCode::METHOD_NOT_ALLOWED),
        ("PATCH", "/team/update", StatusCode::FORBIDDEN),
        ("DELETE", "/team/delete", StatusCode::FORBIDDEN),
    ] {
        let told = api.send(request(method, path, &[key])).await;
        assert_eq!(told.status, expected, "{method} {path}: {}", told.text);
        assert_eq!(told.head["cache-control"], "no-store");
        let told = api.send(request(method, path, &[])).await;
        assert_eq!(
            told.status,
            StatusCode::UNAUTHORIZED,
            "{method} {path} without a key"
        );
    }
}

#[tokio::test]
async fn a_page_of_another_site_is_refused_whatever_key_it_brings() {
    let api = Api::in_memory();
    let bearer = format!("Bearer {MASTER}");
    let key = ("authorization", bearer.as_str());
    for (headers, expected) in [
        (vec![key], StatusCode::OK),
        (
            vec![
                key,
                ("sec-fetch-site", "same-origin"),
                ("origin", "https://a"),
            ],
            StatusCode::OK,
        ),
        (vec![key, ("sec-fetch-site", "none")], StatusCode::OK),
        (
            vec![key, ("sec-fetch-site", "cross-site")],
            StatusCode::FORBIDDEN,
        ),
        (
            vec![key, ("sec-fetch-site", "same-site")],
            StatusCode::FORBIDDEN,
        ),
        (
            vec![key, ("origin", "https://evil.example")],
            StatusCode::FORBIDDEN,
        ),
        (vec![key, ("origin", "null")], StatusCode::FORBIDDEN),
        (
            vec![key, ("origin", "http://localhost"), ("host", "localhost")],
            StatusCode::FORBIDDEN,
        ),
    ] {
        let told = api.send(request("POST", "/key/generate", &headers)).await;
        assert_eq!(told.status, expected, "{headers:?}: {}", told.text);
    }
}

#[tokio::test]
async fn quotes_and_statements_are_texts_in_every_field() {
    let api = Api::new().await;
    let document = api.get(MASTER, "/openapi.json").await.json();
    let attacks = [
        "'",
        "\"",
        "'; DROP TABLE keys; --",
        "' OR '1'='1",
        "%' --",
        "\\",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "a\u{0}b",
        "Ω≈ç√",
    ];
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let reference =
                &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let name = reference.as_str().and_then(|name| name.rsplit('/').next());
            let schema = name.map(|name| &document["components"]["schemas"][name]["properties"]);
            let fields: Vec<String> = match schema {
                Some(fields) => fields.as_object().unwrap().keys().cloned().collect(),
                None => operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                    .collect(),
            };
            for field in fields {
                for attack in attacks {
                    let encoded: String =
                        attack.bytes().map(|byte| format!("%{byte:02x}")).collect();
                    let path = path.replace("{key_id}", &encoded);
                    let shapes = [json!(attack), json!([attack]), json!({attack: attack})];
                    for value in shapes.iter().take(if method == "get" { 1 } else { 3 }) {
                        let told = if method == "get" {
                            api.get(MASTER, &format!("{path}?{field}={encoded}")).await
                        } else {
                            let body = json!({&field: value}).to_string();
                            api.ask(MASTER, &method.to_uppercase(), &path, &body).await
                        };
                        asked += 1;
                        let status = told.status.as_u16();
                        assert!(
                            matches!(status, 200 | 400 | 404),
                            "{method} {path} {field} {value}: {status} {}",
                            told.text
                        );
                    }
                }
            }
        }
    }
    assert!(asked > 2_000, "{asked}");
    let minted = api
        .must(
            MASTER,
            "/key/generate",
            r#"{"key_alias":"x'; DROP TABLE keys; --"}"#,
        )
        .await;
    let listed = api
        .get(
            MASTER,
            "/key/list?key_alias=x'%3B%20DROP%20TABLE%20keys%3B%20--",
        )
        .await;
    assert_eq!(listed.json()["keys"][0]["key_id"], minted["key_id"]);
    api.assert_no_key_leaked();
}

#[tokio::test]
async fn a_member_widens_nothing() {
    let api = Api::new().await;
    api.must(
        MASTER,
        "/team/new",
        r#"{"team_id":"search","members_with_roles":[{"user_id":"robin"}]}"#,
    )
    .await;
    api.must(MASTER, "/team/new", r#"{"team_id":"ads"}"#).await;
    let (theirs, their_id) = api.mint(r#"{"team_id":"ads"}"#).await;
    let (member, member_id) = api
        .mint(r#"{"user_id":"robin","team_id":"search","models":["gpt-4"],"max_budget":10,"rpm_limit":5,"duration":"1h","allowed_ips":["10.0.0.0/8"]}"#)
        .await;
    // Bound to addresses, and nobody tells from where it comes.
    assert_eq!(
        api.post(&member, "/key/generate", "{}").await.code(),
        "address_not_allowed"
    );
    api.must(
        MASTER,
        "/key/update",
        &json!({"key": member_id, "allowed_ips": null}).to_string(),
    )
    .await;
    let wide = r#"{"user_role":"proxy_admin","models":[],"max_budget":5000,"rpm_limit":1000,"duration":"30d"}"#;
    let child = api.must(&member, "/key/generate", wide).await;
    assert_eq!(child["user_role"], "internal_user");
    assert_eq!(child["models"], json!(["gpt-4"]));
    assert_eq!(
        (&child["max_budget"], &child["rpm_limit"]),
        (&json!(10), &json!(5))
    );
    assert_eq!(
        (&child["team_id"], &child["user_id"]),
        (&json!("search"), &json!("robin"))
    );
    let own = json!({"key": child["key_id"], "max_budget": null, "models": null, "user_role": "proxy_admin"});
    let updated = api.must(&member, "/key/update", &own.to_string()).await;
    assert_eq!(updated["models"], json!(["gpt-4"]));
    assert_eq!(
        (&updated["max_budget"], &updated["user_role"]),
        (&json!(10), &json!("internal_user"))
    );
    for (path, body) in [
        ("/key/generate", json!({"team_id": "ads"})),
        ("/key/generate", json!({"user_id": "somebody"})),
        ("/key/update", json!({"key": their_id, "max_budget": 1})),
        ("/key/delete", json!({"keys": [their_id]})),
        ("/key/delete", json!({"keys": [child["key_id"], their_id]})),
        ("/key/regenerate", json!({"key": their_id})),
        ("/key/block", json!({"key": their_id})),
        (
            "/team/update",
            json!({"team_id": "search", "max_budget": 1_000_000}),
        ),
        (
            "/team/member_add",
            json!({"team_id": "search", "member": {"user_id": "robin2", "role": "admin"}}),
        ),
    ] {
        let told = api.post(&member, path, &body.to_string()).await;
        assert!(
            matches!(told.status.as_u16(), 403 | 404),
            "{path}: {} {}",
            told.status,
            told.text
        );
    }
    // All or none: the own key that was named beside another's still works.
    let child = child["key"].as_str().unwrap();
    assert_eq!(api.get(child, "/key/info").await.status, StatusCode::OK);
    assert_eq!(api.get(&theirs, "/key/info").await.status, StatusCode::OK);
    api.assert_no_key_leaked();
}

#[tokio::test]
async fn what_the_database_holds_opens_nothing() {
    let api = Api::new().await;
    let (key, key_id) = api.mint(r#"{"user_id":"robin"}"#).await;
    let connection = rusqlite::Connection::open(api.path().join("keys.db")).unwrap();
    let digest: Vec<u8> = connection
        .query_row(
            "SELECT digest FROM keys WHERE key_id = ?1",
            [&key_id],
            |row| row.get(0),
        )
        .unwrap();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    for bearer in [
        hex.clone(),
        hex.to_uppercase(),
        format!("sk-{hex}"),
        format!("sk-bz-{hex}"),
        key_id,
        format!("{key}x"),
        key.to_uppercase(),
    ] {
        let told = api.get(&bearer, "/key/info").await;
        assert_eq!(told.status, StatusCode::UNAUTHORIZED, "{bearer}");
    }
    assert_eq!(api.get(&key, "/key/info").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_in_a_url_is_refused_with_a_word_on_logs() {
    let api = Api::new().await;
    let (key, _) = api.mint("{}").await;
    for path in [
        format!("/key/info?key={key}"),
        format!("/key/info?key_id={key}"),
        format!("/key/addresses?key={key}"),
        format!("/key/list?after={key}"),
        format!("/team/list?{key}"),
    ] {
        let told = api.get(MASTER, &path).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{}", told.text);
        assert!(told.message().contains("logs"), "{}", told.text);
    }
    for path in [
        format!("/key/{key}/regenerate"),
        format!("/key/block?key={key}"),
    ] {
        let told = api.post(MASTER, &path, "{}").await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{}", told.text);
        assert!(told.message().contains("logs"), "{}", told.text);
    }
    // Where none belongs it is refused; where one is named by it, it is not said again.
    let told = api
        .post(
            MASTER,
            "/key/generate",
            &json!({"metadata": {"note": key}}).to_string(),
        )
        .await;
    assert_eq!(told.status, StatusCode::BAD_REQUEST);
    api.must(MASTER, "/key/block", &json!({"key": key}).to_string())
        .await;
    api.assert_no_key_leaked();
}
