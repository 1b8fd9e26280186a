//! What the routes promise.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use bartizan_admin::{AdminRouter, NoChangeLog};
use bartizan_auth::{Keys, MemoryStore, Pepper, Routes};
use http::StatusCode;
use serde_json::json;
use support::{Api, MASTER};

fn keys() -> Keys {
    let pepper = Pepper::new(&"b04d8f7e2c6a4915a3e87d50c1f962ab".into()).unwrap();
    Keys::new(MemoryStore::new(), pepper)
}

#[tokio::test]
async fn the_documented_request_mints_a_key_without_a_type_that_says_json() {
    let api = Api::new().await;
    let told = api
        .post(
            MASTER,
            "/key/generate",
            r#"{"models":["gpt-4","claude-3"],"metadata":{"team":"finance-india"},"max_budget":5000,"budget_duration":"30d"}"#,
        )
        .await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text);
    assert_eq!(told.head["cache-control"], "no-store");
    assert!(told.text.contains(r#""max_budget":5000,"#), "{}", told.text);
    let minted = told.json();
    assert_eq!(minted["models"], json!(["gpt-4", "claude-3"]));
    assert_eq!(minted["metadata"], json!({"team": "finance-india"}));
    assert_eq!(minted["budget_duration"], "30d");
    let key = minted["key"].as_str().unwrap();
    let info = api.get(key, "/key/info").await.json();
    assert_eq!(info["key"], minted["key_id"]);
    assert!(info["info"].get("key").is_none());
    api.assert_no_key_leaked();
}

#[tokio::test]
async fn what_is_not_known_is_named_with_the_nearest() {
    let api = Api::in_memory();
    for (path, body, message) in [
        ("/key/generate", r#"{"max_bugdet":1}"#, "`max_budget`"),
        (
            "/key/generate",
            r#"{"spend":1}"#,
            "`spend` is not known here",
        ),
        ("/key/update", r#"{"key":"key_x","modles":[]}"#, "`models`"),
        ("/team/new", r#"{"team_allias":"x"}"#, "`team_alias`"),
        ("/user/new", r#"{"user_mail":"x"}"#, "`user_email`"),
        (
            "/team/member_add",
            r#"{"team_id":"a","member":{"user_id":"b","rol":"user"}}"#,
            "`role`",
        ),
        (
            "/key/generate",
            r#"{"budget_duration":"a month"}"#,
            "`budget_duration`",
        ),
        ("/key/generate", r#"{"rpm_limit":0}"#, "`rpm_limit`"),
        ("/key/generate", r#"{"max_budget":-1}"#, "`max_budget`"),
        (
            "/key/generate",
            r#"{"user_role":"boss"}"#,
            "proxy_admin_viewer",
        ),
        ("/key/generate", r#"{"key_type":"boss"}"#, "read_only"),
        (
            "/key/generate",
            r#"{"allowed_ips":["10.0.0.0/99"]}"#,
            "2001:db8::/32",
        ),
        (
            "/key/generate",
            r#"{"allowed_routes":["lm_api_routes"]}"#,
            "the nearest that is, is `llm_api_routes`",
        ),
        (
            "/team/new",
            r#"{"allowed_routes":["info_routes","v1/messages"]}"#,
            "`v1/messages` is not known here",
        ),
        ("/key/update", "{}", "`key`"),
        ("/team/block", "{}", "`team_id` is missing"),
    ] {
        let told = api.post(MASTER, path, body).await;
        assert_eq!(
            told.status,
            StatusCode::BAD_REQUEST,
            "{path} {body}: {}",
            told.text
        );
        assert!(
            told.message().contains(message),
            "{path} {body}: {}",
            told.text
        );
        assert!(
            told.json()["error"]["param"].is_string(),
            "{path} {body}: {}",
            told.text
        );
    }
}

#[tokio::test]
async fn a_list_in_the_place_of_an_object_is_refused_and_so_is_metadata_beyond_its_bounds() {
    let api = Api::in_memory();
    api.must(MASTER, "/team/new", r#"{"team_id":"search"}"#)
        .await;
    let deep = format!("{}1{}", "[".repeat(9), "]".repeat(9));
    let deep = format!(r#"{{"metadata":{{"a":{deep}}}}}"#);
    let long = format!(r#"{{"metadata":{{"a":["{}"]}}}}"#, "x".repeat(17_000));
    for (path, body, field) in [
        (
            "/team/member_add",
            r#"{"team_id":"search","member":["robin","admin"]}"#,
            "member",
        ),
        (
            "/team/new",
            r#"{"members_with_roles":[["robin","admin"]]}"#,
            "members_with_roles",
        ),
        (
            "/organization/new",
            r#"{"members":[{"user_id":"kim"},["robin"]]}"#,
            "members",
        ),
        (
            "/key/generate",
            r#"{"model_max_budget":{"gpt-4":["10",null,"1d"]}}"#,
            "model_max_budget",
        ),
        ("/key/generate", r#"{"metadata":["a"]}"#, "metadata"),
        (
            "/key/generate",
            r#"{"metadata":{"a":123456789012345678901}}"#,
            "metadata",
        ),
        ("/key/generate", deep.as_str(), "metadata"),
        ("/key/generate", long.as_str(), "metadata"),
    ] {
        let told = api.post(MASTER, path, body).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{path} {body}");
        assert_eq!(told.json()["error"]["param"], field, "{path} {body}");
    }
}

#[tokio::test]
async fn every_field_of_a_key_comes_back_as_it_was_told_and_null_takes_it_away() {
    let api = Api::new().await;
    let fields = json!({
        "key_alias": "prod", "team_id": "search", "user_id": "robin", "user_role": "internal_user", "key_type": "llm_api",
        "models": ["gpt-4", "claude-*"], "allowed_routes": ["/v1/chat/*"], "allowed_ips": ["10.0.0.0/8"], "rpm_limit": 3, "tpm_limit": 4,
        "max_parallel_requests": 5, "max_budget": 0.1, "soft_budget": 0.05, "budget_duration": "30d", "model_rpm_limit": {"gpt-4": 1},
        "model_tpm_limit": {"gpt-4": 2}, "model_max_budget": {"gpt-4": {"max_budget": 7.5, "budget_duration": "1d"}}, "guardrails": ["g"],
        "aliases": {"fast": "gpt-4"}, "metadata": {"a": "b", "of": {"all": [1, 2.5, true, null, "kinds"]}}, "tags": ["t"], "rotation_interval": "7d", "blocked": true,
    });
    let minted = api.must(MASTER, "/key/generate", &fields.to_string()).await;
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&minted[name], value, "{name}");
    }
    let mut nulls = serde_json::Map::new();
    for name in fields.as_object().unwrap().keys() {
        if !matches!(name.as_str(), "user_role" | "key_type") {
            nulls.insert(name.clone(), json!(null));
        }
    }
    nulls.insert("key".into(), minted["key_id"].clone());
    let updated = api
        .must(MASTER, "/key/update", &json!(nulls).to_string())
        .await;
    for name in [
        "key_alias",
        "team_id",
        "user_id",
        "rpm_limit",
        "max_budget",
        "budget_duration",
        "allowed_ips",
        "rotation_interval",
    ] {
        assert!(updated[name].is_null(), "{name}: {updated}");
    }
    for name in ["models", "allowed_routes", "guardrails", "tags"] {
        assert_eq!(updated[name], json!([]), "{name}");
    }
    assert_eq!(updated["model_max_budget"], json!({}));
    assert_eq!(updated["blocked"], false);
}

#[tokio::test]
async fn a_group_of_routes_opens_its_routes_and_narrows_as_its_paths_do() {
    let api = Api::new().await;
    let info = r#"{"user_id":"robin","allowed_routes":["management_routes"]}"#;
    let (manager, key_id) = api.mint(info).await;
    let told = api.get(&manager, "/key/info").await.json();
    assert_eq!(told["info"]["allowed_routes"], json!(["management_routes"]));
    assert_eq!(
        api.get(&manager, "/key/addresses").await.status,
        StatusCode::FORBIDDEN
    );
    for (asked, got) in [
        (
            json!(["key_management_routes"]),
            json!(["key_management_routes"]),
        ),
        (
            json!(["llm_api_routes", "/user/*"]),
            json!([
                "/user/new",
                "/user/update",
                "/user/bulk_update",
                "/user/delete",
                "/user/info",
                "/user/list",
                "/user/block",
                "/user/unblock",
                "/user/daily/*"
            ]),
        ),
    ] {
        let body = json!({ "allowed_routes": asked }).to_string();
        let minted = api.must(&manager, "/key/generate", &body).await;
        assert_eq!(minted["allowed_routes"], got);
    }
    let update = json!({"key": key_id, "allowed_routes": ["info_routes"]}).to_string();
    api.must(MASTER, "/key/update", &update).await;
    let told = api.get(&manager, "/key/addresses").await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text);
    assert_eq!(
        api.post(&manager, "/key/generate", "{}").await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn every_route_is_of_a_group() {
    let document = AdminRouter::new(keys(), NoChangeLog).document();
    let groups: Vec<Routes> = Routes::groups()
        .map(|name| Routes::Only(vec![name.to_owned()]))
        .collect();
    for path in document.paths.paths.keys() {
        let allowed = groups.iter().any(|group| group.allow(path));
        assert!(allowed, "{path} is in no group of routes");
    }
}

#[tokio::test]
async fn a_version_that_is_not_there_any_more_changes_nothing() {
    let api = Api::new().await;
    let (_, key_id) = api.mint("{}").await;
    let update = |version: u64, rpm: u32| {
        json!({"key": key_id, "version": version, "rpm_limit": rpm}).to_string()
    };
    assert_eq!(
        api.must(MASTER, "/key/update", &update(1, 5)).await["version"],
        2
    );
    let told = api.post(MASTER, "/key/update", &update(1, 6)).await;
    assert_eq!(
        (told.status, told.code().as_str()),
        (StatusCode::CONFLICT, "version_conflict")
    );
    let info = api
        .get(MASTER, &format!("/key/info?key={key_id}"))
        .await
        .json();
    assert_eq!(info["info"]["rpm_limit"], 5);
    api.must(MASTER, "/team/new", r#"{"team_id":"search"}"#)
        .await;
    api.must(
        MASTER,
        "/team/update",
        r#"{"team_id":"search","version":1,"team_alias":"a"}"#,
    )
    .await;
    let told = api
        .post(
            MASTER,
            "/team/member_add",
            r#"{"team_id":"search","version":1,"member":{"user_id":"robin"}}"#,
        )
        .await;
    assert_eq!(told.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn pages_hold_each_key_once() {
    let api = Api::in_memory();
    let mut minted: Vec<String> = Vec::new();
    for _ in 0..7 {
        minted.push(api.mint("{}").await.1);
    }
    minted.sort();
    for size in [1, 3, 7, 8] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = api
                .get(MASTER, &format!("/key/list?size={size}{after}"))
                .await
                .json();
            let keys = page["keys"].as_array().unwrap();
            assert!(keys.len() <= size && !keys.is_empty());
            seen.extend(
                keys.iter()
                    .map(|key| key["key_id"].as_str().unwrap().to_owned()),
            );
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, minted, "{size} a page");
    }
}

#[tokio::test]
async fn a_team_admin_bound_to_models_manages_its_team() {
    let api = Api::new().await;
    let members = r#"{"team_id":"search","members_with_roles":[{"user_id":"robin","role":"admin"},{"user_id":"kim"}]}"#;
    api.must(MASTER, "/team/new", members).await;
    let (admin, _) = api
        .mint(
            r#"{"user_id":"robin","team_id":"search","user_role":"team_admin","models":["gpt-4"]}"#,
        )
        .await;
    let minted = api
        .must(
            &admin,
            "/key/generate",
            r#"{"user_id":"kim","models":["gpt-4","o3"]}"#,
        )
        .await;
    assert_eq!(minted["models"], json!(["gpt-4"]));
    let key = minted["key"].as_str().unwrap();
    api.must(
        &admin,
        "/team/member_delete",
        r#"{"team_id":"search","user_id":"kim"}"#,
    )
    .await;
    assert_eq!(
        api.get(key, "/key/info").await.status,
        StatusCode::UNAUTHORIZED
    );
    let regenerated = api
        .must(&admin, "/key/regenerate", r#"{"grace_period":"1h"}"#)
        .await;
    for key in [&admin, regenerated["key"].as_str().unwrap()] {
        assert_eq!(api.get(key, "/key/info").await.status, StatusCode::OK);
    }
    api.assert_no_key_leaked();
}
