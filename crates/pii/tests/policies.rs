//! Which policy applies to whom, and what several together do.

mod exchange;

use bartizan_core::{Identity, Regions};
use bartizan_pii::{ConfigError, Entity, Operator, PiiLayer, Policy, Rule};
use exchange::Exchange;
use http::StatusCode;

const SAYS: &str = "ravi@example.in, +91 98765 43210, 4111 1111 1111 1111";

fn policy(name: &str, operator: Operator) -> Policy {
    Policy::new(name).operator(Entity::Email, operator)
}

#[tokio::test]
async fn the_first_rule_that_holds_chooses_the_policy() {
    let layer = PiiLayer::builder()
        .mask([Entity::Email])
        .policy(
            Rule::new().team("kyc").model("demo"),
            policy("kyc", Operator::Keep),
        )
        .policy(Rule::new().team("kyc"), policy("other", Operator::Block))
        .policy(
            Rule::new().path("/v1/mess*"),
            policy("messages", Operator::Redact),
        )
        .policy(
            Rule::new().tag("dry"),
            policy("dry", Operator::Mask).observe(true),
        )
        .build()
        .unwrap();
    for (identity, asked, note) in [
        (
            Identity::new("k").team_id("kyc"),
            "ravi@example.in",
            "pii kept EMAIL_ADDRESS=1 direction=request policy=kyc",
        ),
        (
            Identity::new("k").tag("dry"),
            "ravi@example.in",
            "pii observed EMAIL_ADDRESS=1 operator=MASK direction=request policy=dry",
        ),
        (
            Identity::new("k"),
            "<EMAIL_ADDRESS_1>",
            "pii masked EMAIL_ADDRESS=1 direction=request",
        ),
    ] {
        let seen = Exchange::chat(&layer, "ravi@example.in")
            .by(identity)
            .made()
            .await;
        assert_eq!(seen.asked(), asked);
        assert_eq!(seen.notes, [note]);
    }
    let body =
        r#"{"model": "other", "messages": [{"role": "user", "content": "ravi@example.in"}]}"#;
    let other =
        Exchange::new(&layer, "/v1/chat/completions", body).by(Identity::new("k").team_id("kyc"));
    assert_eq!(other.made().await.status, StatusCode::FORBIDDEN);
    let messages = Exchange::new(&layer, "/v1/messages", body).made().await;
    assert_eq!(messages.asked(), "");
}

#[tokio::test]
async fn a_call_that_may_leave_the_country_is_treated_by_the_strictest_word_of_all() {
    let layer = PiiLayer::builder()
        .mask([Entity::Email])
        .policy(
            Rule::new().outside("india"),
            Policy::new("abroad")
                .operator(Entity::Email, Operator::Replace)
                .operator(Entity::Phone, Operator::Redact)
                .operator(Entity::Card, Operator::Keep),
        )
        .policy(
            Rule::new().inside("ap-south-1"),
            Policy::new("mumbai")
                .operator(Entity::Email, Operator::Keep)
                .operator(Entity::Card, Operator::Mask),
        )
        .build()
        .unwrap();
    let abroad = "<EMAIL_ADDRESS>, , 4111 1111 1111 1111";
    let both = "<EMAIL_ADDRESS>, , <CREDIT_CARD_1>";
    for (regions, asked, policy) in [
        (None, abroad, Some("abroad")),
        (Some(vec![None]), abroad, Some("abroad")),
        (Some(vec![Some("eu-west-1")]), abroad, Some("abroad")),
        (
            Some(vec![Some("AP-SOUTH-1")]),
            "ravi@example.in, +91 98765 43210, <CREDIT_CARD_1>",
            Some("mumbai"),
        ),
        (
            Some(vec![Some("ap-south-2")]),
            "<EMAIL_ADDRESS_1>, +91 98765 43210, 4111 1111 1111 1111",
            None,
        ),
        (
            Some(vec![Some("ap-south-1"), Some("us-east-1")]),
            both,
            Some("mumbai+abroad"),
        ),
        (
            Some(vec![Some("us-east-1"), Some("ap-south-1"), None]),
            both,
            Some("abroad+mumbai"),
        ),
    ] {
        let mut exchange = Exchange::chat(&layer, SAYS);
        if let Some(regions) = &regions {
            exchange = exchange.to(Regions::new(regions.iter().copied()));
        }
        let seen = exchange.made().await;
        assert_eq!(seen.asked(), asked, "{regions:?}");
        let named = |note: &String| match policy {
            Some(policy) => note.ends_with(&format!("policy={policy}")),
            None => !note.contains("policy"),
        };
        assert!(seen.notes.iter().all(named), "{:?}", seen.notes);
    }
}

#[tokio::test]
async fn thresholds_and_allow_lists_are_a_policys_own() {
    let layer = PiiLayer::builder()
        .mask([Entity::Email])
        .policy(
            Rule::new().team("support"),
            policy("support", Operator::Mask)
                .analyzer(|analyzer| analyzer.allow_list(None, ["*@acme.in"])),
        )
        .build()
        .unwrap();
    for (team, asked) in [
        ("support", "help@acme.in <EMAIL_ADDRESS_1>"),
        ("sales", "<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_2>"),
    ] {
        let seen = Exchange::chat(&layer, "help@acme.in ravi@example.in")
            .by(Identity::new("k").team_id(team))
            .made()
            .await;
        assert_eq!(seen.asked(), asked);
    }
}

#[test]
fn what_is_wrong_with_a_policy_is_told_with_its_name() {
    let build = |policies: Vec<Policy>| {
        let builder = PiiLayer::builder().mask([Entity::Email]);
        let builder = policies.into_iter().fold(builder, |builder, policy| {
            builder.policy(Rule::new(), policy)
        });
        builder.build().unwrap_err().to_string()
    };
    let bad =
        policy("x", Operator::Mask).analyzer(|analyzer| analyzer.threshold(Entity::Email, 2.0));
    for (policies, says) in [
        (
            vec![Policy::new("x")],
            "policy `x`: no entity is switched on: name at least one",
        ),
        (
            vec![bad],
            "policy `x`: threshold of EMAIL_ADDRESS is 2: use a number from 0 to 1",
        ),
        (
            vec![policy("x", Operator::Mask), policy("x", Operator::Keep)],
            "two policies are called `x`: give each a name of its own",
        ),
    ] {
        assert_eq!(build(policies), says);
    }
    assert!(matches!(
        PiiLayer::builder()
            .policy(Rule::new(), policy("x", Operator::Mask))
            .build()
            .unwrap_err(),
        ConfigError::NothingToFind
    ));
}
