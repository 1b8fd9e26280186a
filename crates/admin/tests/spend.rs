//! What was spent, as it is shown: to whom, of whom, when, and to the last digit.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::time::Duration;

use bartizan_core::{Cost, Usage};
use bartizan_limit::spend::{SpendEntry, SpendOutcome};
use http::StatusCode;
use serde_json::Value;
use support::{Api, MASTER};

/// 2024-03-10, 18:00 UTC.
const EVENING: u64 = 1_710_093_600;
const DAYS: &str = "start_date=2024-03-09&end_date=2024-03-12";

struct Told<'a> {
    at: u64,
    key: &'a str,
    user: &'a str,
    team: &'a str,
    organization: &'a str,
    femto: u128,
}

fn record(api: &Api, told: &Told<'_>) {
    let mut entry = SpendEntry::new(Duration::from_secs(told.at), told.key, "gpt-4o");
    entry.user_id = Some(told.user.to_owned());
    entry.team_id = Some(told.team.to_owned());
    entry.organization_id = Some(told.organization.to_owned());
    entry.cost = Cost::from_femto_dollars(told.femto);
    entry.usage = Usage {
        input: 10,
        cached_input: 5,
        output: 2,
        reasoning: 1,
        ..Usage::default()
    };
    api.spend.record(entry);
}

/// Robin and Kim of one team, Chris of another of the same organization, and a stranger: costs tell whose they are.
fn everybody(api: &Api) {
    for (key, user, team, organization, femto) in [
        ("key_robin", "robin", "search", "acme", 1),
        ("key_kim", "kim", "search", "acme", 10),
        ("key_chris", "chris", "ads", "acme", 100),
        ("key_stranger", "stranger", "other", "rival", 1_000),
    ] {
        let at = EVENING;
        record(
            api,
            &Told {
                at,
                key,
                user,
                team,
                organization,
                femto,
            },
        );
    }
}

async fn accounts(api: &Api) {
    for (path, body) in [
        ("/organization/new", r#"{"organization_id":"acme"}"#),
        (
            "/team/new",
            r#"{"team_id":"search","organization_id":"acme"}"#,
        ),
    ] {
        api.must(MASTER, path, body).await;
    }
}

async fn json(api: &Api, key: &str, path: &str) -> Value {
    let told = api.get(key, path).await;
    assert_eq!(told.status, StatusCode::OK, "{path}: {}", told.text);
    told.json()
}

#[tokio::test]
async fn each_role_sees_what_is_its_own_its_teams_or_its_organizations() {
    let api = Api::in_memory();
    accounts(&api).await;
    everybody(&api);
    for (role, expected) in [
        ("internal_user", "0.000000000000001"),
        ("internal_user_viewer", "0.000000000000001"),
        ("team_admin", "0.000000000000011"),
        ("org_admin", "0.000000000000111"),
        ("proxy_admin_viewer", "0.000000000001111"),
        ("proxy_admin", "0.000000000001111"),
    ] {
        let body = format!(
            r#"{{"user_id":"robin","team_id":"search","organization_id":"acme","user_role":"{role}"}}"#
        );
        let (key, _) = api.mint(&body).await;
        for path in [
            "/global/spend/report?",
            "/user/daily/activity?",
            "/global/spend/report?group_by=model&",
            "/global/spend/report?group_by=day&",
        ] {
            let told = api.get(&key, &format!("{path}{DAYS}")).await;
            let spend = ["spend", "total_spend"].map(|name| format!(r#""{name}":{expected},"#));
            assert!(
                spend.iter().any(|spend| told.text.contains(spend)),
                "{role} {path}: {}",
                told.text
            );
        }
        let logs = json(&api, &key, &format!("/spend/logs?{DAYS}")).await;
        let calls = logs["logs"].as_array().unwrap().len();
        assert_eq!(calls, expected.matches('1').count(), "{role}");
        // What others spent is as if it were not there.
        if role != "proxy_admin" && role != "proxy_admin_viewer" {
            let told = api
                .get(&key, &format!("/spend/logs?{DAYS}&user_id=stranger"))
                .await;
            assert_eq!(told.json()["logs"].as_array().unwrap().len(), 0);
            let told = api
                .get(&key, &format!("/spend/export?{DAYS}&group_by=user"))
                .await;
            assert!(!told.text.contains("stranger"), "{}", told.text);
        }
    }
}

#[tokio::test]
async fn those_who_spent_most_come_first_and_pages_leave_out_none() {
    let api = Api::in_memory();
    everybody(&api);
    let whole = json(
        &api,
        MASTER,
        &format!("/global/spend/report?{DAYS}&group_by=user"),
    )
    .await;
    let names = |report: &Value| {
        let groups = report["groups"].as_array().unwrap().iter();
        groups
            .map(|group| group["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&whole), ["stranger", "chris", "kim", "robin"]);
    assert_eq!(whole["next"], Value::Null);
    for (path, page) in [
        ("/global/spend/report?group_by=user", "groups"),
        ("/spend/logs?", "logs"),
    ] {
        let (mut found, mut after) = (0, String::new());
        loop {
            let told = json(&api, MASTER, &format!("{path}&{DAYS}&size=3{after}")).await;
            found += told[page].as_array().unwrap().len();
            match told["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(found, 4, "{path}");
    }
}

#[tokio::test]
async fn a_call_is_shown_with_all_that_is_known_of_it() {
    let api = Api::in_memory();
    let mut entry = SpendEntry::new(Duration::from_secs(EVENING), "key_1", "asked");
    entry.provider = Some("openai".into());
    entry.served_model = Some("served".into());
    entry.tags = vec!["b".into(), "a".into()];
    entry.outcome = SpendOutcome::Failed;
    entry.estimated = true;
    entry.cost = Cost::from_femto_dollars(12_345_000_000_000_000);
    api.spend.record(entry);
    let told = json(
        &api,
        MASTER,
        &format!("/spend/logs?{DAYS}&tag=a&model=asked"),
    )
    .await;
    let log = &told["logs"][0];
    for (name, expected) in [
        ("time", r#""2024-03-10T18:00:00.000Z""#),
        ("calls", "1"),
        ("span_seconds", "0"),
        ("key_id", r#""key_1""#),
        ("user_id", "null"),
        ("model", r#""asked""#),
        ("provider", r#""openai""#),
        ("served_model", r#""served""#),
        ("tags", r#"["a","b"]"#),
        ("outcome", r#""failed""#),
        ("estimated", "true"),
        ("priced", "true"),
        ("spend", "12.345"),
        ("total_tokens", "0"),
    ] {
        assert_eq!(log[name].to_string(), expected, "{name}");
    }
    let report = json(&api, MASTER, &format!("/global/spend/report?{DAYS}")).await;
    assert_eq!(report["total"]["failed_requests"], 1);
    assert_eq!(report["total"]["successful_requests"], 0);
}

#[tokio::test]
async fn days_are_those_of_the_zone_that_is_asked_for() {
    let api = Api::in_memory();
    // Half past eleven at night in India is the evening in UTC; an hour later it is the next day there.
    for at in [EVENING, EVENING + 3_600] {
        let (key, user, team, organization, femto) = ("key_1", "u", "t", "o", 1);
        record(
            &api,
            &Told {
                at,
                key,
                user,
                team,
                organization,
                femto,
            },
        );
    }
    for (zone, expected) in [
        ("UTC", vec![("2024-03-10", 2)]),
        ("Asia/Kolkata", vec![("2024-03-10", 1), ("2024-03-11", 1)]),
    ] {
        let told = json(
            &api,
            MASTER,
            &format!("/user/daily/activity?{DAYS}&timezone={zone}"),
        )
        .await;
        let days: Vec<_> = told["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| {
                (
                    day["date"].as_str().unwrap(),
                    day["metrics"]["api_requests"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(days, expected, "{zone}");
        let report = json(
            &api,
            MASTER,
            &format!("/global/spend/report?{DAYS}&group_by=day&timezone={zone}"),
        )
        .await;
        assert_eq!(report["groups"].as_array().unwrap().len(), expected.len());
    }
    let told = json(
        &api,
        MASTER,
        "/global/spend/report?start_date=2024-03-11&end_date=2024-03-11&timezone=Asia/Kolkata",
    )
    .await;
    assert_eq!(told["total"]["api_requests"], 1);
    assert_eq!(told["total"]["prompt_tokens"], 15);
    assert_eq!(told["total"]["completion_tokens"], 3);
}

#[tokio::test]
async fn an_export_is_a_table_that_reckons_with_nothing() {
    let api = Api::in_memory();
    let (at, key, user, organization, femto) = (EVENING, "key_1", "u", "o", 3);
    let team = "=cmd|' /C calc'!A0, \"x\"";
    record(
        &api,
        &Told {
            at,
            key,
            user,
            team,
            organization,
            femto,
        },
    );
    let told = api
        .get(MASTER, &format!("/spend/export?{DAYS}&group_by=team"))
        .await;
    assert_eq!(told.head["content-type"], "text/csv; charset=utf-8");
    let row = told.text.lines().nth(1).unwrap();
    assert_eq!(
        row,
        "\"'=cmd|' /C calc'!A0, \"\"x\"\"\",0.000000000000003,1,0,15,3,5,0,1"
    );
}

#[tokio::test]
async fn what_can_not_be_asked_is_refused_by_its_name() {
    let api = Api::in_memory();
    for (path, param) in [
        ("/spend/logs?limit=3", "limit"),
        ("/spend/logs?size=501", "size"),
        ("/spend/logs?after=x", "after"),
        ("/spend/logs?key=a&key_id=b", "key_id"),
        ("/spend/logs?start_date=2024-02-30", "start_date"),
        ("/spend/logs?end_date=tomorrow", "end_date"),
        ("/spend/logs?timezone=Mars", "timezone"),
        ("/global/spend/report?group_by=colour", "group_by"),
        ("/global/spend/report?after=-1", "after"),
        (
            "/global/spend/report?start_date=2020-01-01&end_date=2024-01-01",
            "start_date",
        ),
        ("/user/daily/activity?page=1", "page"),
        ("/spend/export?size=3", "size"),
    ] {
        let told = api.get(MASTER, path).await;
        assert_eq!(
            told.status,
            StatusCode::BAD_REQUEST,
            "{path}: {}",
            told.text
        );
        assert_eq!(told.json()["error"]["param"], param, "{path}");
    }
}

#[tokio::test]
async fn what_a_key_spent_is_seen_by_whoever_sees_the_key() {
    let api = Api::in_memory();
    accounts(&api).await;
    let (robin, _) = api.mint(r#"{"user_id":"robin","team_id":"search"}"#).await;
    let (_, own) = api.mint(r#"{"user_id":"robin"}"#).await;
    let (_, other) = api.mint(r#"{"user_id":"kim","team_id":"search"}"#).await;
    for key in [&own, &other] {
        // Of a time when it was somebody else's.
        let (at, user, team, organization, femto) = (EVENING, "before", "t", "o", 1);
        record(
            &api,
            &Told {
                at,
                key,
                user,
                team,
                organization,
                femto,
            },
        );
    }
    let told = json(&api, &robin, &format!("/spend/logs?{DAYS}&key={own}")).await;
    assert_eq!(told["logs"].as_array().unwrap().len(), 1);
    let told = api
        .get(&robin, &format!("/spend/logs?{DAYS}&key={other}"))
        .await;
    assert_eq!(told.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn keys_and_accounts_are_shown_with_what_they_spent_and_a_team_not_to_its_members() {
    let api = Api::in_memory();
    accounts(&api).await;
    api.must(
        MASTER,
        "/user/new",
        r#"{"user_id":"robin","organization_id":"acme"}"#,
    )
    .await;
    let member = r#"{"team_id":"search","member":{"user_id":"robin"}}"#;
    api.must(MASTER, "/team/member_add", member).await;
    let (robin, key) = api.mint(r#"{"user_id":"robin","team_id":"search"}"#).await;
    for (key, user) in [(key.as_str(), "robin"), ("key_other", "kim")] {
        let (at, team, organization, femto) = (EVENING, "search", "acme", 500_000_000_000_000);
        record(
            &api,
            &Told {
                at,
                key,
                user,
                team,
                organization,
                femto,
            },
        );
    }
    for (path, info, own, whole) in [
        (format!("/key/info?key={key}"), "info", "0.5", "0.5"),
        (
            "/user/info?user_id=robin".to_owned(),
            "user_info",
            "0.5",
            "0.5",
        ),
        (
            "/team/info?team_id=search".to_owned(),
            "team_info",
            "null",
            "1",
        ),
    ] {
        assert_eq!(
            json(&api, &robin, &path).await[info]["spend"].to_string(),
            own,
            "{path}"
        );
        assert_eq!(
            json(&api, MASTER, &path).await[info]["spend"].to_string(),
            whole,
            "{path}"
        );
    }
    let path = "/organization/info?organization_id=acme";
    let told = json(&api, MASTER, path).await;
    assert_eq!(told["organization_info"]["spend"].to_string(), "1");
}

#[tokio::test]
async fn who_is_erased_is_named_no_more_and_what_they_cost_stays() {
    let api = Api::new().await;
    everybody(&api);
    let erased = api
        .must(MASTER, "/spend/erase", r#"{"user_id":"kim"}"#)
        .await;
    assert_eq!(erased["rows"], 1);
    let report = json(
        &api,
        MASTER,
        &format!("/global/spend/report?{DAYS}&group_by=user"),
    )
    .await;
    assert!(!report.to_string().contains("kim"), "{report}");
    assert_eq!(report["total"]["api_requests"], 4);
    assert!(
        api.changes()
            .iter()
            .any(|change| change["action"] == "erase_spend")
    );
    for body in ["{}", r#"{"user_id":"a","end_user":"b"}"#] {
        let told = api.post(MASTER, "/spend/erase", body).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{body}");
    }
}
