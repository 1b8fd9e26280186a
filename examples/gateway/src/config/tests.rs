mod identity;
mod jwt;
mod keys;
mod limits;
mod network;
mod onnx;
mod pii;
mod places;
mod presidio;
mod spend;
mod watch;

use bartizan::core::Dialect;
use bartizan::pii::{Analyzer, Entity};

use super::*;

const MASTER: &str = "sk-9f1c6bd2a07e43f58b3d6e2c914a7f05";

fn env(name: &str) -> Option<String> {
    let value = match name {
        "BARTIZAN_MASTER_KEY" => MASTER,
        "OPENAI_API_KEY" => "sk-openai-canary",
        "AZURE_API_KEY" => "azure-canary",
        "AZURE_API_BASE" => "https://x.openai.azure.com",
        _ => return None,
    };
    Some(value.to_owned())
}

fn read(text: &str) -> Result<Settings, Vec<String>> {
    Settings::read(&SecretString::from(text), &env)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn with_model(text: &str) -> String {
    format!("model_list: [{{model_name: m, litellm_params: {{model: openai/gpt-4o}}}}]\n{text}")
}

fn problems(text: &str) -> Vec<String> {
    read(text).err().unwrap_or_default()
}

#[test]
fn a_litellm_file_is_read_as_it_is() {
    let settings = read(
        r#"
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
      rpm: 60
      tpm: 100_000
      timeout: 30
      stream_timeout: 120
    model_info: {id: one, mode: chat, note: mine}
  - model_name: gpt-4o
    litellm_params: {model: azure/four-o, api_version: "2024-10-21", rpm: 40}
  - model_name: claude
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: sk-ant-canary, max_tokens: 2048}
  - model_name: local
    litellm_params: {model: openai/llama, api_base: "http://localhost:8000/v1"}
  - {model_name: "openai/*", litellm_params: {model: "openai/*"}}
general_settings:
  master_key: sk-5a0d83f7c2164be99e7b20f1d86c4a3e
  database_url: sqlite:keys.db
litellm_settings: {request_timeout: 90, json_logs: true, drop_params: true, turn_off_message_logging: true, set_verbose: off}
router_settings: {routing_strategy: simple-shuffle}
guardrails:
  - guardrail_name: pii
    litellm_params:
      guardrail: presidio
      mode: [pre_call, post_call]
      default_on: true
      output_parse_pii: true
      pii_entities_config: {CREDIT_CARD: MASK, IN_PAN: BLOCK}
bartizan:
  listen: 0.0.0.0:4001
  allow_plaintext_on_network: true
  limits: {rpm: 600}
  timeouts: {header: 5s, drain: 1m}
  audit: {mode: lossy, write_ahead: true}
"#,
    )
    .unwrap();
    assert_eq!(settings.deployments.len(), 5);
    assert_eq!(settings.model_limits["gpt-4o"].rpm, Some(100));
    assert_eq!(settings.model_limits["gpt-4o"].tpm, Some(100_000));
    let url = |at: usize| {
        let place = &settings.deployments[at].place;
        let way = place
            .way(Dialect::OpenAiChat, place.name().model())
            .unwrap();
        let leg = way.leg(false);
        (format!("{:?}", way.lane), leg.query.clone())
    };
    let (lane, query) = url(1);
    assert!(
        lane.contains("/openai/deployments/four-o/chat/completions"),
        "{lane}"
    );
    assert_eq!(query.as_deref(), Some("api-version=2024-10-21"));
    let facts = settings.deployments[2].place.facts.as_ref().unwrap();
    assert_eq!((facts.max_output, facts.vision), (2_048, true));
    assert_eq!(
        settings.deployments[3].place.origin().to_string(),
        "http://localhost:8000"
    );
    assert!(
        settings
            .master
            .key
            .as_ref()
            .unwrap()
            .verify("sk-5a0d83f7c2164be99e7b20f1d86c4a3e")
            .is_some()
    );
    assert!(matches!(&settings.database, Database::Sqlite(path) if path.as_os_str() == "keys.db"));
    assert_eq!(settings.server.listen.to_string(), "0.0.0.0:4001");
    assert_eq!(settings.server.times.drain, Duration::from_secs(60));
    assert!(
        settings.audit.lossy
            && settings.audit.write_ahead
            && settings.json_logs
            && settings.drop_params
    );
    let pii = settings.guardrails.pii.clone().unwrap();
    assert_eq!(
        (pii.entities.len(), pii.restore, pii.output),
        (2, true, true)
    );
    assert_eq!(settings.guardrails.injection, None);
    assert!(
        !format!("{settings:?}").contains("canary"),
        "a secret shows"
    );
}

#[test]
fn without_guardrails_the_safe_ones_run_and_an_empty_list_means_none() {
    assert_eq!(
        read(&with_model("")).unwrap().guardrails,
        Guardrails::default()
    );
    assert_eq!(
        read(&with_model("guardrails: []")).unwrap().guardrails.pii,
        None
    );
}

/// S11.
#[test]
fn no_bad_master_key_is_served_with() {
    for (key, says) in [
        ("\"\"", "missing"),
        ("sk-1234", "published"),
        ("sk-short-7Hq2", "too short"),
        ("sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "easy to guess"),
        ("sk-please-change-me-before-production-now", "easy to guess"),
        ("os.environ/NOT_SET", "NOT_SET is not set"),
    ] {
        let found = problems(&with_model(&format!(
            "general_settings: {{master_key: {key}}}"
        )));
        assert!(
            found.iter().any(|line| line.contains(says)),
            "{key}: {found:?}"
        );
        assert!(
            !found.iter().any(|line| line.contains("master_key")
                && !key.starts_with("os.")
                && key.len() > 4
                && line.contains(key)),
            "{found:?}"
        );
        assert!(
            key.starts_with("os.") || found.iter().any(|line| line.contains("keygen")),
            "no mend: {found:?}"
        );
    }
    let nothing = Settings::read(&SecretString::from(with_model("")), &|name| {
        (name == "OPENAI_API_KEY").then(|| "k".into())
    });
    assert!(
        nothing
            .unwrap_err()
            .iter()
            .any(|problem| problem.to_string().contains("master key is missing"))
    );
    let null = Settings::read(
        &SecretString::from(with_model("general_settings: {master_key: }")),
        &|_| None,
    );
    assert!(
        null.unwrap_err()
            .iter()
            .any(|problem| problem.to_string().contains("master key is missing"))
    );
}

#[test]
fn own_recognizers_lists_and_thresholds_of_personal_data_are_read() {
    let settings = read(&with_model(
        r#"
bartizan:
  pii:
    score_threshold: 0.6
    thresholds: {IN_PAN: 0.8}
    recognizers:
      - name: Staff numbers
        supported_entity: GATEWAY_STAFF
        patterns: [{name: long, regex: 'EMP-\d{6}', score: 0.4, score_with_context: 0.9}]
        context: [employee]
      - {supported_entity: GATEWAY_PROJECT, deny_list: [Falcon, गरुड़]}
    allow_list: ["*@corp.example"]
guardrails:
  - guardrail_name: p
    litellm_params:
      {guardrail: bartizan_pii, mode: pre_call, default_on: true, pii_entities_config: {GATEWAY_STAFF: REPLACE, EMAIL_ADDRESS: MASK}}
"#,
    ))
    .unwrap();
    let analyzer = settings
        .pii
        .detection
        .set_up(Analyzer::builder().entity(Entity::Email))
        .build()
        .unwrap();
    let text = "employee EMP-100200 of गरुड़ wrote from me@corp.example to you@else.example; part EMP-100300";
    let found = analyzer.analyze(text);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|found| (found.entity.as_str(), &text[found.range.clone()]))
        .collect();
    assert_eq!(
        found,
        [
            ("GATEWAY_STAFF", "EMP-100200"),
            ("GATEWAY_PROJECT", "गरुड़"),
            ("EMAIL_ADDRESS", "you@else.example")
        ]
    );
}

#[test]
fn phone_regions_are_chosen_and_an_unknown_one_is_named_with_what_was_meant() {
    let read = |regions: &str| {
        let text = format!("bartizan: {{pii: {{phone_regions: {regions}}}}}");
        Settings::read(&SecretString::from(with_model(&text)), &env)
    };
    let finds = |regions: &str, text: &str| {
        let detection = read(regions).unwrap().pii.detection;
        let analyzer = detection.set_up(Analyzer::builder().entity(Entity::Phone));
        !analyzer.build().unwrap().analyze(text).is_empty()
    };
    for (regions, text, found) in [
        ("[IN, FR]", "at 01 53 20 41 99", true),
        ("[in]", "at 01 53 20 41 99", false),
        ("[IN]", "at 98765 43210", true),
        ("[AU]", "at (02) 9374 4000", true),
        ("[]", "at 98765 43210", false),
        ("[]", "at +91 98765 43210", true),
    ] {
        assert_eq!(finds(regions, text), found, "{regions} {text}");
    }
    let problems = read("[IN, UK]").unwrap_err();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expected = "bartizan.pii.phone_regions[1]: no phone numbers are known of `UK`";
    assert!(
        said.iter()
            .any(|said| said.contains(expected) && said.contains("`GB`")),
        "{said:?}"
    );
}

#[test]
fn what_is_wrong_with_an_own_recognizer_is_said_where_it_stands() {
    let found = problems(&with_model(
        r#"
bartizan:
  pii:
    score_threshold: 2
    thresholds: {IN_PANN: 0.5}
    recognizers:
      - {supported_entity: staff, deny_list: [x]}
      - {supported_entity: GATEWAY_A}
      - {supported_entity: GATEWAY_B, patterns: [{regex: 'a+'}, {regex: '(', score: 1}, {regex: x, check: lunh}]}
      - {supported_entity: GATEWAY_C, deny_list: [" "], contxt: [x]}
    allow_list: ["*"]
"#,
    ));
    for says in [
        "bartizan.pii.score_threshold: a score from 0 to 1",
        "bartizan.pii.thresholds.IN_PANN: this kind of data is not found by this version; did you mean `IN_PAN`?",
        "bartizan.pii.recognizers[0].supported_entity: `staff` can't name a kind",
        "bartizan.pii.recognizers[1]: it needs `patterns` or a `deny_list`",
        "bartizan.pii.recognizers[2].patterns[0].regex: pattern of GATEWAY_B: a match may be longer",
        "bartizan.pii.recognizers[2].patterns[1].regex: pattern of GATEWAY_B: the expression is wrong",
        "bartizan.pii.recognizers[2].patterns[2].check: this is none of",
        "bartizan.pii.recognizers[3].deny_list[0]: a word of the deny list",
        "bartizan.pii.recognizers[3].contxt: this key is not known; did you mean `context`?",
        "bartizan.pii.allow_list[0]: this would let everything pass",
    ] {
        assert!(
            found.iter().any(|line| line.contains(says)),
            "missing: {says}\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let found = problems(
        r#"model_list:
  - model_name: a
    litellm_params: {model: opnai/gpt-4o, temperature: 1}
  - model_nam: b
    litellm_params: {model: openai/x, rpm: many}
  - model_name: "*x"
    litellm_params: {model: openai/x, api_base: "http://10.0.0.1:8000"}
  - {model_name: w, litellm_params: {model: anthropic/claude-x}}
  - {model_name: "w/*", litellm_params: {model: "openai/*", rpm: 5}}
general_settings:
  master_key: sk-1234
  databse_url: x
  alerting: [slack]
litellm_settings:
  callbacks: [langfuse]
router_settings:
  routing_strategy: latency-based-routing
guardrails:
  - guardrail_name: p
    litellm_params: {guardrail: presidioo, mode: pre_cal, default_on: true}
  - guardrail_name: q
    litellm_params: {guardrail: presidio, mode: during_call}
  - guardrail_name: r
    litellm_params: {guardrail: lakera_v2, mode: pre_call, default_on: true, pii_entities_config: {}}
  - guardrail_name: s
    litellm_params: {guardrail: presidio, mode: pre_call, default_on: true, pii_entities_config: {CREDIT_CRAD: MASK, EMAIL_ADDRESS: HIDE, FINGERPRINT: MASK}}
bartizan:
  listen: 0.0.0.0:4000
  lisen: x
  timeouts: {header: soon}
mcp_servers: {}
genral_settings: {}
"#,
    );
    for says in [
        "line 3: model_list[0].litellm_params.model: there is no provider of this name; did you mean `openai`?",
        "line 3: model_list[0].litellm_params.temperature: this is LiteLLM's",
        "line 4: model_list[1]: `model_name` is missing",
        "line 4: model_list[1].model_nam: this key is not known; did you mean `model_name`?",
        "line 6: model_list[2].model_name: a name belongs here",
        "line 7: model_list[2].litellm_params.api_base: http would carry key and prompts in plain text",
        "line 8: model_list[3].litellm_params: `api_key` is missing, and ANTHROPIC_API_KEY is not set",
        "line 9: model_list[4].model_name: `rpm`, `tpm` and `max_parallel_requests` belong to one model",
        "line 11: general_settings.master_key: master key is published",
        "line 12: general_settings.databse_url: this key is not known; did you mean `database_url`?",
        "line 13: general_settings.alerting: this is LiteLLM's",
        "line 15: litellm_settings.callbacks: this is LiteLLM's",
        "line 17: router_settings.routing_strategy: this version takes deployments of one name in turn",
        "line 20: guardrails[0].litellm_params.guardrail: this guardrail is not known; did you mean `presidio`?",
        "line 20: guardrails[0].litellm_params.mode: this is none of pre_call, post_call; did you mean `pre_call`?",
        "line 22: guardrails[1].litellm_params: set `default_on: true`",
        "line 22: guardrails[1].litellm_params.mode: this mode is LiteLLM's",
        "line 24: guardrails[2].litellm_params.guardrail: this is LiteLLM's",
        "line 26: guardrails[3].litellm_params.pii_entities_config.CREDIT_CRAD: this kind of data is not found by this version; did you mean `CREDIT_CARD`?",
        "line 26: guardrails[3].litellm_params.pii_entities_config.EMAIL_ADDRESS: this is none of MASK, BLOCK, REPLACE, REDACT",
        "line 26: guardrails[3].litellm_params.pii_entities_config.FINGERPRINT: this kind of data is not found by this version; it finds",
        "line 28: bartizan.listen: this address can be reached from elsewhere",
        "line 29: bartizan.lisen: this key is not known; did you mean `listen`?",
        "line 30: bartizan.timeouts.header: a time from",
        "line 31: mcp_servers: this is LiteLLM's",
        "line 32: genral_settings: this key is not known; did you mean `general_settings`?",
    ] {
        assert!(
            found.iter().any(|line| line.starts_with(says)),
            "missing: {says}\n{}",
            found.join("\n")
        );
    }
    assert_eq!(problems("model_list: []\nmodel_list: []").len(), 1);
    assert!(
        problems("- a")
            .iter()
            .any(|line| line.contains("a mapping belongs here"))
    );
    assert!(
        problems("")
            .iter()
            .any(|line| line.contains("`model_list` is missing"))
    );
}

#[test]
fn the_environments_key_goes_to_the_providers_own_address_only() {
    let settings = read(
        "model_list:\n\
         - {model_name: own, litellm_params: {model: openai/x}}\n\
         - {model_name: elsewhere, litellm_params: {model: openai/x, api_base: 'https://elsewhere.example/v1'}}",
    )
    .unwrap();
    let debugged = format!("{:?}", settings.deployments[1].place);
    assert!(!debugged.contains("canary"));
    // With a key the header would be there; that none is sent is shown against the mock provider.
    assert_eq!(
        settings.deployments[0].place.origin().to_string(),
        "https://api.openai.com:443"
    );
}

#[test]
fn keys_lie_where_the_database_is_named() {
    let environment = |name: &str| match name {
        "DB" => {
            Some("postgresql://bartizan:canary@db.example.com/keys?sslmode=verify-full".to_owned())
        }
        "REDIS" => Some("rediss://:canary@redis.example.com".to_owned()),
        _ => env(name),
    };
    let read = |settings: &str, own: &str| {
        let text = format!("general_settings: {{{settings}}}\nbartizan: {{{own}}}");
        Settings::read(&SecretString::from(with_model(&text)), &environment)
    };
    let settings = read(
        "database_url: os.environ/DB, database_connection_pool_limit: 20, database_connection_timeout: 3",
        "changes: {redis: os.environ/REDIS, channel: mine}",
    )
    .unwrap();
    assert!(matches!(settings.database, Database::Postgres(_)) && settings.changes.is_some());
    assert!(!format!("{settings:?}").contains("canary"));
    let settings = read("", "").unwrap();
    assert!(matches!(settings.database, Database::Sqlite(_)) && settings.changes.is_none());
    for (settings, own, says) in [
        ("database_url: 'mysql://canary@h/d'", "", "postgresql://"),
        (
            "database_url: 'postgres://u:canary@h/d?sslmode=canary'",
            "",
            "verify-full",
        ),
        (
            "database_url: 'postgres://u:canary@h/d?sslmod=require'",
            "",
            "sslmode",
        ),
        ("database_connection_pool_limit: 5", "", "is for PostgreSQL"),
        (
            "database_url: 'postgres://h/d', database_connection_pool_limit: 0",
            "",
            "from 1 to 1000",
        ),
        (
            "database_connection_poollimit: 5",
            "",
            "did you mean `database_connection_pool_limit`?",
        ),
        ("", "changes: {channel: x}", "`redis` is missing"),
        ("", "changes: {redis: 'http://canary'}", "redis://"),
        ("", "changes: {reddis: x}", "did you mean `redis`?"),
        ("", "change: {redis: x}", "did you mean `changes`?"),
    ] {
        let found: Vec<String> = read(settings, own)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            found.iter().any(|line| line.contains(says)),
            "{settings} {own}: {found:?}"
        );
        assert!(!found.concat().contains("canary"), "{found:?}");
    }
}

#[test]
fn the_master_key_manages_unless_more_or_nothing_is_told() {
    let master = format!("master_key: {MASTER}");
    for (settings, has_key, calls) in [
        (master.clone(), true, false),
        (
            format!("{master}, master_key_calls_models: true"),
            true,
            true,
        ),
        (
            format!("{master}, master_key_calls_models: false"),
            true,
            false,
        ),
        (format!("{master}, disable_master_key: false"), true, false),
        (format!("{master}, disable_master_key: true"), false, false),
        ("disable_master_key: true".to_owned(), false, false),
    ] {
        let text = with_model(&format!("general_settings: {{{settings}}}"));
        let read = Settings::read(&SecretString::from(text), &env).unwrap();
        let found = (read.master.key.is_some(), read.master.calls_models);
        assert_eq!(found, (has_key, calls), "{settings}");
    }
    for (settings, says) in [
        (
            "disable_master_key: true, master_key_calls_models: true",
            "remove one of the two",
        ),
        (
            "disable_masterkey: true",
            "did you mean `disable_master_key`?",
        ),
        ("disable_master_key: perhaps", "true or false"),
    ] {
        let text = with_model(&format!("general_settings: {{{settings}}}"));
        let found = Settings::read(&SecretString::from(text), &env).unwrap_err();
        let said = found
            .iter()
            .any(|problem| problem.to_string().contains(says));
        assert!(said, "{settings}: {found:?}");
    }
}

#[test]
fn what_no_file_says_comes_from_the_environment() {
    let master = || MasterKey::new(SecretString::from(MASTER)).unwrap();
    let settings = Settings::without_file(master(), &env).unwrap();
    let names: Vec<&str> = settings
        .deployments
        .iter()
        .map(|deployment| deployment.name.as_str())
        .collect();
    assert_eq!(names, ["openai/*"]);
    assert!(
        Settings::without_file(master(), &|_| None)
            .unwrap()
            .deployments
            .is_empty()
    );
    let weak = Settings::without_file(master(), &|name| {
        (name == "BARTIZAN_PEPPER").then(|| "short".into())
    });
    assert!(
        weak.unwrap_err()[0]
            .to_string()
            .contains("pepper is too short")
    );
}

#[test]
fn nothing_is_fetched_unless_hosts_are_named() {
    assert!(read(&with_model("")).unwrap().fetch_urls.is_none());
    let text = "bartizan: {translate: {fetch_urls: {hosts: [images.example.com, '*.cdn.example.com', 'http://localhost:8080'], max_bytes: 2048, timeout: 3s, always: true}}}";
    let fetch = read(&with_model(text)).unwrap().fetch_urls.unwrap();
    assert_eq!(fetch.hosts.len(), 3);
    assert_eq!(
        (fetch.origins.len(), fetch.many, fetch.always),
        (2, true, true)
    );
    assert_eq!(
        (fetch.max_bytes, fetch.max_total_bytes, fetch.max_files),
        (2_048, 20 * 1024 * 1024, 16)
    );
    assert_eq!(fetch.timeout, Duration::from_secs(3));
    for (bad, says) in [
        ("{}", "`hosts` is missing"),
        ("{hosts: []}", "name at least one host"),
        ("{hosts: ['*']}", "a host belongs here"),
        ("{hosts: ['*.com']}", "a host belongs here"),
        ("{hosts: ['https://a/b']}", "a host belongs here"),
        ("{hosts: [a.example], max_bytes: 1}", "a whole number from"),
        ("{hosts: [a.example], timeout: soon}", "a time from"),
        (
            "{hosts: [a.example], max_byte: 1}",
            "did you mean `max_bytes`",
        ),
    ] {
        let found = problems(&with_model(&format!(
            "bartizan: {{translate: {{fetch_urls: {bad}}}}}"
        )));
        assert!(
            found.iter().any(|line| line.contains(says)),
            "{bad}: {found:?}"
        );
    }
}
