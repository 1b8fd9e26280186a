//! Every route, asked with a key of every role and kind, for what is the caller's own, its team's, its organization's and another's: against the table in
//! data/matrix.tsv.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::collections::BTreeSet;

use bartizan_core::{Clock, SystemClock};
use bartizan_limit::spend::SpendEntry;
use serde_json::{Value, json};
use support::{Api, MASTER, Told};

const TABLE: &str = include_str!("../data/matrix.tsv");
const FAR: [&str; 4] = ["own", "team", "organization", "all"];

/// Whose things are asked for: user, team, organization.
const WHOSE: [[&str; 3]; 4] = [
    ["caller", "search", "acme"],
    ["fellow", "search", "acme"],
    ["colleague", "ads", "acme"],
    ["stranger", "foreign", "rival"],
];

struct Row {
    method: String,
    path: String,
    reach: Vec<String>,
}

fn table() -> (Vec<String>, Vec<Row>) {
    let mut lines = TABLE
        .lines()
        .map(|line| line.split('\t').map(str::to_owned));
    let roles = lines.next().unwrap().skip(2).collect();
    let rows = lines.map(|mut cells| Row {
        method: cells.next().unwrap(),
        path: cells.next().unwrap(),
        reach: cells.collect(),
    });
    (roles, rows.collect())
}

struct World {
    api: Api,
    key: String,
    /// A key of each of [`WHOSE`].
    victims: Vec<String>,
}

async fn world(role: &str, key_type: &str) -> World {
    let api = Api::in_memory();
    let make = async |path: &str, body: Value| api.must(MASTER, path, &body.to_string()).await;
    for (organization, member) in [("acme", "fellow"), ("rival", "stranger")] {
        let members = json!([{"user_id": member, "role": "internal_user"}]);
        make(
            "/organization/new",
            json!({"organization_id": organization, "members": members}),
        )
        .await;
    }
    for [user, team, organization] in WHOSE {
        let role = if user == "caller" {
            role
        } else {
            "internal_user"
        };
        make(
            "/user/new",
            json!({"user_id": user, "organization_id": organization, "user_role": role}),
        )
        .await;
        if user != "caller" {
            let mut members = vec![json!({"user_id": user})];
            if team == "search" {
                members.push(json!({"user_id": "caller"}));
            }
            make("/team/new", json!({"team_id": team, "organization_id": organization, "members_with_roles": members})).await;
        }
    }
    let mint = async |body: Value| api.mint(&body.to_string()).await;
    let (key, _) = mint(
        json!({"user_id": "caller", "team_id": "search", "user_role": role, "key_type": key_type}),
    )
    .await;
    let mut victims = Vec::new();
    for [user, team, _] in WHOSE {
        victims.push(mint(json!({"user_id": user, "team_id": team})).await.1);
    }
    for key in &victims {
        // Of nobody but the key: whoever sees it sees what it spent.
        api.spend
            .record(SpendEntry::new(SystemClock::new().unix(), key, "gpt-4o"));
    }
    World { api, key, victims }
}

/// What is asked at that path for what is so far; `None` where nothing there is so far.
fn body(path: &str, far: usize, victim: &str) -> Option<Value> {
    let [user, team, organization] = WHOSE[far];
    let role = "internal_user_viewer";
    Some(match path {
        "/key/generate" => json!({"user_id": user, "team_id": team}),
        "/key/update" => json!({"key": victim, "tags": ["x"]}),
        "/spend/erase" => json!({"user_id": user}),
        "/key/delete" => json!({"keys": [victim]}),
        "/key/regenerate" | "/key/block" | "/key/unblock" => json!({"key": victim}),
        "/key/{key_id}/regenerate" => json!({}),
        "/team/new" | "/user/new" if far < 2 => return None,
        "/team/new" | "/user/new" => json!({"organization_id": organization}),
        "/team/update" => json!({"team_id": team, "team_alias": "x"}),
        "/team/delete" => json!({"team_ids": [team]}),
        "/team/block" | "/team/unblock" => json!({"team_id": team}),
        "/team/member_add" => json!({"team_id": team, "member": {"user_id": "newcomer"}}),
        "/team/member_update" | "/team/member_delete" if far == 0 => return None,
        "/team/member_update" => json!({"team_id": team, "user_id": user, "role": role}),
        "/team/member_delete" => json!({"team_id": team, "user_id": user}),
        "/user/update" => json!({"user_id": user, "user_alias": "x"}),
        "/user/delete" => json!({"user_ids": [user]}),
        "/user/block" | "/user/unblock" => json!({"user_id": user}),
        _ if path.starts_with("/organization") && far < 2 => return None,
        "/organization/new" if far < 3 => return None,
        "/organization/new" => json!({}),
        "/organization/update" => {
            json!({"organization_id": organization, "organization_alias": "x"})
        }
        "/organization/delete" => json!({"organization_ids": [organization]}),
        "/organization/block" | "/organization/unblock" => json!({"organization_id": organization}),
        "/organization/member_add" => {
            json!({"organization_id": organization, "member": {"user_id": "newcomer"}})
        }
        "/organization/member_update" | "/organization/member_delete" => {
            let user = if far == 2 { "fellow" } else { "stranger" };
            let mut body = json!({"organization_id": organization, "user_id": user});
            if path.ends_with("update") {
                body["role"] = json!(role);
            }
            body
        }
        _ => panic!("{path} is not in this test"),
    })
}

/// The query, and what must stand in the answer to it.
fn query(path: &str, far: usize, victim: &str) -> Option<(String, String)> {
    let [user, team, organization] = WHOSE[far];
    Some(match path {
        "/key/info" | "/key/addresses" => (format!("?key={victim}"), String::new()),
        "/spend/logs" | "/global/spend/report" | "/spend/export" => {
            (format!("?key={victim}"), victim.to_owned())
        }
        "/user/daily/activity" => (
            format!("?key_id={victim}"),
            r#""total_api_requests":1,"#.to_owned(),
        ),
        "/key/list" => (String::new(), victim.to_owned()),
        // The team that one is in is one's own.
        "/team/info" | "/team/list" if far == 1 => return None,
        "/team/info" => (format!("?team_id={team}"), String::new()),
        "/team/list" => (String::new(), format!(r#""team_id":"{team}""#)),
        "/user/info" => (format!("?user_id={user}"), String::new()),
        "/user/list" => (String::new(), format!(r#"{{"user_id":"{user}""#)),
        _ if path.starts_with("/organization") && far < 2 => return None,
        "/organization/info" => (format!("?organization_id={organization}"), String::new()),
        "/organization/list" => (
            String::new(),
            format!(r#""organization_id":"{organization}""#),
        ),
        "/key/several_addresses" | "/openapi.json" if far > 0 => return None,
        "/key/several_addresses" | "/openapi.json" => (String::new(), String::new()),
        _ => panic!("{path} is not in this test"),
    })
}

async fn ask(world: &World, row: &Row, far: usize) -> Option<(Told, bool)> {
    let victim = &world.victims[far];
    if row.method == "GET" {
        let (query, holds) = query(&row.path, far, victim)?;
        let told = world
            .api
            .get(&world.key, &format!("{}{query}", row.path))
            .await;
        let done = told.status == 200 && told.text.contains(&holds);
        return Some((told, done));
    }
    let body = body(&row.path, far, victim)?.to_string();
    let path = row.path.replace("{key_id}", victim);
    let told = world.api.ask(&world.key, &row.method, &path, &body).await;
    let done = told.status == 200;
    Some((told, done))
}

async fn hold(role_at: usize, key_type: &str) {
    let (roles, rows) = table();
    let role = &roles[role_at];
    let mut kept = None;
    for row in &rows {
        let changes = row.method != "GET";
        let reach = match key_type {
            "llm_api" => "none",
            "read_only" if changes => "none",
            _ => row.reach[role_at].as_str(),
        };
        let reaches = FAR.iter().position(|far| *far == reach);
        for (far, whose) in FAR.iter().enumerate() {
            let world = match kept.take() {
                Some(world) => world,
                None => world(role, key_type).await,
            };
            let Some((told, done)) = ask(&world, row, far).await else {
                kept = Some(world);
                continue;
            };
            let case = format!("{role} {key_type} {} {} {}", row.method, row.path, whose);
            // What was changed is made anew.
            kept = (!changes || !done).then_some(world);
            let expected = reaches.is_some_and(|reaches| far <= reaches);
            assert_eq!(done, expected, "{case}: {} {}", told.status, told.text);
            assert_eq!(told.head["cache-control"], "no-store", "{case}");
            if reaches.is_none() {
                assert_eq!(told.status, 403, "{case}: {}", told.text);
            } else if !expected && !row.path.ends_with("list") {
                assert!(
                    matches!(told.status.as_u16(), 403 | 404),
                    "{case}: {} {}",
                    told.status,
                    told.text
                );
            }
        }
    }
}

macro_rules! roles {
    ($($name:ident $at:literal)*) => {$(
        #[tokio::test]
        async fn $name() {
            for key_type in ["default", "management", "read_only", "llm_api"] {
                hold($at, key_type).await;
            }
        }
    )*};
}

roles! {
    a_proxy_admin_reaches_what_the_table_says 0
    a_proxy_admin_viewer_reaches_what_the_table_says 1
    an_org_admin_reaches_what_the_table_says 2
    a_team_admin_reaches_what_the_table_says 3
    an_internal_user_reaches_what_the_table_says 4
    an_internal_user_viewer_reaches_what_the_table_says 5
}

#[tokio::test]
async fn the_table_the_document_and_the_router_have_the_same_routes() {
    let api = Api::in_memory();
    let document = api.get(MASTER, "/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut told = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            told.insert((method.to_uppercase(), path.clone()));
            let changes = method != "get";
            let mut statuses = vec!["200", "400", "401", "403", "404", "503"];
            if changes {
                statuses.extend(["409", "413"]);
                let body =
                    &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
                let name = body.as_str().unwrap().rsplit('/').next().unwrap();
                let schema = &document["components"]["schemas"][name];
                assert_eq!(schema["additionalProperties"], false, "{path}: {name}");
            }
            for status in statuses {
                let media = match status {
                    "200" if path == "/spend/export" => "text/csv; charset=utf-8",
                    _ => "application/json",
                };
                let answer = &operation["responses"][status]["content"][media]["schema"]["$ref"];
                let name = answer.as_str().unwrap_or_else(|| panic!("{path} {status}"));
                let name = name.rsplit('/').next().unwrap();
                assert!(
                    document["components"]["schemas"][name].is_object(),
                    "{path}: {name}"
                );
            }
        }
    }
    let (_, rows) = table();
    let listed: BTreeSet<_> = rows.into_iter().map(|row| (row.method, row.path)).collect();
    assert_eq!(told, listed);
    assert_eq!(
        document["components"]["securitySchemes"]["key"]["scheme"],
        "bearer"
    );
    assert!(document["security"][0]["key"].is_array());
}

#[test]
fn the_documentation_shows_the_table() {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/admin.md");
    let document = std::fs::read_to_string(document).unwrap();
    for line in TABLE.lines().skip(1) {
        let mut cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        cells[1] = format!("`{}`", cells[1]);
        let row = format!("| {} |", cells.join(" | "));
        assert!(document.contains(&row), "docs/admin.md lacks {row}");
    }
}
