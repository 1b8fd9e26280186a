//! `bartizan.pii`, and the operators of a guardrail.

use bartizan::pii::Operator;

use super::*;

fn read_with(text: &str) -> Result<Settings, Vec<String>> {
    let env = |name: &str| match name {
        "PII_KEY" => Some("9f1c6bd2a07e43f58b3d6e2c914a7f05".to_owned()),
        other => env(other),
    };
    Settings::read(&SecretString::from(with_model(text)), &env)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_whole_section_is_read() {
    let settings = read_with(
        r#"
guardrails:
  - guardrail_name: personal data
    litellm_params:
      guardrail: presidio
      mode: [pre_call, post_call]
      default_on: true
      pii_entities_config:
        EMAIL_ADDRESS: MASK
        CREDIT_CARD: {operator: PARTIAL, keep_last: 4, with: "X"}
        IN_PAN: HASH
        PHONE_NUMBER: {operator: REPLACE, text: "[phone]", observe: true}
        IN_AADHAAR: block
        IP_ADDRESS: ENCRYPT
bartizan:
  pii:
    key: os.environ/PII_KEY
    observe: true
    vault: {values: 20, bytes: 4096}
    conversations: {header: X-Conversation-Id, keep: 10m, most: 5, bytes: 100000}
    policies:
      - name: kyc
        when: {teams: [kyc, audit-*], inside: india, models: m, metadata: {stage: [test, live]}}
        entities: {IN_AADHAAR: KEEP}
        answer_entities: {IN_AADHAAR: FAKE}
        score_threshold: 0.6
        thresholds: {IN_AADHAAR: 0.9}
        allow_list: ["*@acme.in"]
      - {name: abroad, when: {outside: [india]}, entities: {IN_AADHAAR: BLOCK}, output: true, observe: true}
"#,
    )
    .unwrap();
    let pii = settings.guardrails.pii.clone().unwrap();
    let words: Vec<&str> = pii
        .entities
        .iter()
        .map(|(_, operator)| operator.as_str())
        .collect();
    assert_eq!(
        words,
        ["MASK", "PARTIAL", "HASH", "OBSERVE", "BLOCK", "ENCRYPT"]
    );
    let partial = pii
        .entities
        .iter()
        .find_map(|(_, operator)| match operator {
            Operator::Partial(partial) => Some(partial.apply("4111 1111")),
            _ => None,
        });
    assert_eq!(partial.as_deref(), Some("XXXX 1111"));
    let own = &settings.pii;
    assert_eq!((own.policies.len(), own.observe), (2, true));
    assert!(own.asks_for_region());
    assert_eq!((own.bounds.values, own.bounds.bytes), (20, 4096));
    let kept = own.conversations.as_ref().unwrap();
    assert_eq!((kept.keep, kept.most), (Duration::from_secs(600), 5));
    assert_eq!(kept.header.as_ref().unwrap(), "x-conversation-id");
    assert!(crate::stack::pii(&settings).unwrap().is_some());
    assert!(!format!("{settings:?}").contains("9f1c6bd2"));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_mend() {
    let guardrail = "guardrails: [{guardrail_name: p, litellm_params: {guardrail: presidio, mode: pre_call, default_on: true}}]\n";
    let found = read_with(&format!(
        r#"{guardrail}bartizan:
  pii:
    key: canary
    vault: {{values: 0}}
    conversations: {{header: "a b", keep: 9d}}
    policies:
      - {{name: a, when: {{teams: []}}, entities: {{IN_PAN: HASH}}}}
      - {{name: a, when: {{model: x}}, entities: {{IN_PNA: MASK}}}}
      - {{when: {{}}, thresholds: {{IN_PAN: 2}}}}
      - {{name: b, when: {{models: ["*x"]}}, entities: {{IN_PAN: {{operator: PARTIAL, keep_last: 4, keep_first: 2, with: "ab"}}}}}}
      - {{name: c, when: {{}}, entities: {{IN_PAN: MASKK, EMAIL_ADDRESS: {{operator: MASK, text: x}}}}}}
"#
    ))
    .unwrap_err();
    for says in [
        "line 5: bartizan.pii.key: the key is shorter than 32 characters",
        "line 6: bartizan.pii.vault.values: a whole number from 1",
        "line 7: bartizan.pii.conversations.header: a header's name belongs here",
        "line 7: bartizan.pii.conversations.keep: a time from",
        "line 9: bartizan.pii.policies[0].when.teams: nothing is named here",
        "line 9: bartizan.pii.policies[0].entities.IN_PAN: this needs `bartizan.pii.key`",
        "line 10: bartizan.pii.policies[1].name: another policy has this name",
        "line 10: bartizan.pii.policies[1].when.model: this key is not known; did you mean `models`?",
        "line 10: bartizan.pii.policies[1].entities.IN_PNA: this kind of data is not found by this version; did you mean `IN_PAN`?",
        "line 11: bartizan.pii.policies[2]: `name` is missing",
        "line 11: bartizan.pii.policies[2]: `entities` is missing",
        "line 11: bartizan.pii.policies[2].thresholds.IN_PAN: a score from 0 to 1 belongs here",
        "line 12: bartizan.pii.policies[3].when.models[0]: a name belongs here, with at most one `*`",
        "line 12: bartizan.pii.policies[3].entities.IN_PAN: `keep_first` and `keep_last` don't go together",
        "line 12: bartizan.pii.policies[3].entities.IN_PAN.with: one character belongs here",
        "line 13: bartizan.pii.policies[4].entities.IN_PAN: this is none of MASK",
        "line 13: bartizan.pii.policies[4].entities.EMAIL_ADDRESS.text: this key is not known",
    ] {
        assert!(
            found.iter().any(|line| line.starts_with(says)),
            "missing: {says}\n{}",
            found.join("\n")
        );
    }
    let idle = "guardrails: []\nbartizan: {pii: {policies: [{name: a, when: {}, entities: {IN_PAN: MASK}}]}}";
    let found = read_with(idle).unwrap_err().join("\n");
    assert!(
        found.contains("`bartizan.pii.policies` do nothing without the guardrail"),
        "{found}"
    );
}
