//! Presidio's API as the gateway serves it, and Presidio's analyzer as it asks it.

use bartizan::pii::{Entity, Operator};

use super::*;
use crate::config::analyzer::Elsewhere;

fn served(words: &str) -> Result<PresidioSettings, Vec<String>> {
    read(&with_model(&format!("bartizan: {words}"))).map(|settings| settings.presidio.unwrap())
}

#[test]
fn presidios_api_is_served_on_loopback_or_where_it_was_thought_about() {
    assert!(read(&with_model("")).unwrap().presidio.is_none());
    let own = served("{presidio: {listen: 'localhost:5002', entities: [IN_PAN, EMAIL_ADDRESS], score_threshold: 0.4, max_connections: 9}}").unwrap();
    assert_eq!(own.listen.to_string(), "127.0.0.1:5002");
    assert_eq!(own.entities, Some(vec![Entity::InPan, Entity::Email]));
    assert_eq!((own.score_threshold, own.max_connections), (Some(0.4), 9));
    assert!(own.api_key.is_none());
    for (good, keyed) in [
        (
            "{allow_plaintext_on_network: true, presidio: {listen: '0.0.0.0:5002', api_key: k}}",
            true,
        ),
        (
            "{allow_plaintext_on_network: true, presidio: {listen: '0.0.0.0:5002', allow_without_key: true}}",
            false,
        ),
        (
            "{tls: {cert: a, key: b}, presidio: {listen: '[::]:5002', api_key: os.environ/OPENAI_API_KEY}}",
            true,
        ),
    ] {
        assert_eq!(served(good).unwrap().api_key.is_some(), keyed, "{good}");
    }
    for (bad, says) in [
        ("{presidio: {}}", "`listen` is missing"),
        ("{presidio: {listen: here}}", "an address and a port"),
        (
            "{presidio: {listen: '127.0.0.1:4000'}}",
            "the gateway itself listens there",
        ),
        (
            "{presidio: {listen: '0.0.0.0:5002', api_key: k}}",
            "plain text",
        ),
        (
            "{allow_plaintext_on_network: true, presidio: {listen: '0.0.0.0:5002'}}",
            "answers whoever asks",
        ),
        (
            "{presidio: {listen: 'localhost:5002', api_key: k, allow_without_key: true}}",
            "keep one",
        ),
        (
            "{presidio: {listen: 'localhost:5002', entities: [EMAIL_ADRESS]}}",
            "did you mean `EMAIL_ADDRESS`",
        ),
        (
            "{presidio: {listen: 'localhost:5002', entities: []}}",
            "name at least one kind",
        ),
        (
            "{presidio: {listen: 'localhost:5002', score_threshold: 2}}",
            "a number from 0 to 1",
        ),
        (
            "{presidio: {listen: 'localhost:5002', apikey: k}}",
            "did you mean `api_key`",
        ),
    ] {
        let found = served(bad).unwrap_err();
        assert!(
            found.iter().any(|line| line.contains(says)),
            "{bad}: {found:?}"
        );
    }
}

pub(super) fn guarded(params: &str, own: &str) -> Result<guardrails::PiiSettings, Vec<String>> {
    let text = format!(
        "guardrails: [{{guardrail_name: g, litellm_params: {{guardrail: presidio, default_on: true, {params}}}}}]\nbartizan: {own}"
    );
    read(&with_model(&text)).map(|settings| settings.guardrails.pii.unwrap())
}

fn elsewhere(analyzer: &AnalyzerSettings) -> &Elsewhere {
    match &analyzer.by {
        Finder::Presidio(presidio) => presidio,
        Finder::Onnx(model) => panic!("{model:?}"),
    }
}

#[test]
fn presidios_analyzer_is_asked_for_what_only_a_model_finds() {
    let all = guarded(
        "mode: pre_call, presidio_analyzer_api_base: 'http://localhost:5002/'",
        "{}",
    )
    .unwrap();
    let analyzer = all.analyzer.unwrap();
    let presidio = elsewhere(&analyzer);
    assert_eq!(presidio.base, "http://localhost:5002");
    assert_eq!(presidio.entities.len(), 4);
    assert!(all.entities.contains(&(Entity::Person, Operator::Mask)));
    assert!(all.entities.contains(&(Entity::Email, Operator::Mask)));
    assert_eq!(
        (
            presidio.language.as_str(),
            analyzer.fail_open,
            presidio.private
        ),
        ("en", false, false)
    );
    assert_eq!(analyzer.timeout, Duration::from_secs(5));

    let some = guarded(
        "mode: [pre_call, post_call], pii_entities_config: {PERSON: BLOCK, EMAIL_ADDRESS: MASK}, presidio_analyzer_api_base: 'presidio:3000/base', presidio_language: de, timeout: 250ms, unreachable_fallback: fail_open, allow_unmodelled_streams: true",
        "{allow_private_upstreams: ['http://presidio:3000']}",
    )
    .unwrap();
    let analyzer = some.analyzer.unwrap();
    let presidio = elsewhere(&analyzer);
    assert_eq!(presidio.base, "http://presidio:3000/base");
    assert_eq!(presidio.entities, [Entity::Person]);
    assert_eq!(some.entities.len(), 2);
    assert_eq!(
        (
            presidio.language.as_str(),
            analyzer.fail_open,
            presidio.private
        ),
        ("de", true, true)
    );
    assert_eq!(analyzer.timeout, Duration::from_millis(250));

    for (bad, says) in [
        (
            "mode: pre_call, pii_entities_config: {PERSON: MASK}",
            "set `presidio_analyzer_api_base`",
        ),
        (
            "mode: pre_call, presidio_language: de",
            "no rule here depends on a language",
        ),
        (
            "mode: pre_call, timeout: 3",
            "this is for `presidio_analyzer_api_base`",
        ),
        (
            "mode: pre_call, unreachable_fallback: fail_open",
            "this is for `presidio_analyzer_api_base`",
        ),
        (
            "mode: pre_call, presidio_anonymizer_api_base: 'http://localhost:1'",
            "no service is needed for masking",
        ),
        (
            "mode: pre_call, presidio_analyzer_api_base: 'http://presidio:3000'",
            "allow_private_upstreams",
        ),
        (
            "mode: pre_call, presidio_analyzer_api_base: 'http://user@localhost'",
            "an address belongs here",
        ),
        (
            "mode: pre_call, presidio_analyzer_api_base: 'ftp://localhost'",
            "an address belongs here",
        ),
        (
            "mode: pre_call, pii_entities_config: {EMAIL_ADDRESS: MASK}, presidio_analyzer_api_base: 'http://localhost:1'",
            "found here, without a model",
        ),
        (
            "mode: [pre_call, post_call], presidio_analyzer_api_base: 'http://localhost:1'",
            "allow_unmodelled_streams",
        ),
        (
            "mode: pre_call, presidio_analyzer_api_base: 'http://localhost:1', unreachable_fallback: maybe",
            "none of fail_closed, fail_open",
        ),
    ] {
        let found = guarded(bad, "{}").unwrap_err();
        assert!(
            found.iter().any(|line| line.contains(says)),
            "{bad}: {found:?}"
        );
    }
    assert!(
        guarded("mode: pre_call, presidio_language: en", "{}")
            .unwrap()
            .analyzer
            .is_none()
    );
}
