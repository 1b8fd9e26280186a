//! A model in the gateway. `cargo xtask onnx` brings the ONNX runtime and the models (`tests/onnx/make.py`).

use bartizan_testkit::{MockProvider, Script};

use crate::process::{Start, config};

/// Where `cargo xtask onnx` has put it.
fn told(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask onnx`"))
}

/// A configuration with the model `name`, and what else the guardrail has.
fn with(mock: &MockProvider, name: &str, more: &str) -> String {
    let (models, runtime) = (told("BARTIZAN_ONNX_MODELS"), told("BARTIZAN_ONNX_RUNTIME"));
    let guardrails = format!(
        "guardrails:\n\
         - guardrail_name: personal data\n  \
           litellm_params:\n    \
             guardrail: presidio\n    \
             mode: pre_call\n    \
             default_on: true\n    \
             output_parse_pii: true\n    \
             onnx: {{path: '{models}/{name}', runtime: '{runtime}', threads: 1, labels: {{LOC: none, MISC: NRP}}}}\n    \
             {more}\n"
    );
    config(mock, "").replace("guardrails: []\n", &guardrails)
}

#[tokio::test]
async fn onnx_names_are_masked_and_come_back_and_are_nowhere_else() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(with(&mock, "words", ""))
        .env("RUST_LOG", "trace")
        .run();
    let text = "Ravi Rao of Acme Inc, asha.rao@example.org, at Diwali in Pune";
    let answer = gateway.chat("gpt", text).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["choices"][0]["message"]["content"], text);
    let seen = mock.requests()[0].text();
    let masked = "<PERSON_1> of <ORGANIZATION_1>, <EMAIL_ADDRESS_1>, at <NRP_1> in Pune";
    assert!(seen.contains(masked), "{seen}");
    let log = gateway.stderr();
    assert!(log.contains("a model looks for personal data"), "{log}");
    assert!(!log.contains("Ravi") && !log.contains("Diwali"), "{log}");
}

#[tokio::test]
async fn onnx_models_that_are_too_slow_refuse_or_let_pass_as_configured() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let some = "pii_entities_config: {PERSON: BLOCK, EMAIL_ADDRESS: MASK}\n    timeout: 300ms";
    let closed = Start::with(with(&mock, "slow", some)).run();
    let refused = closed.chat("gpt", "wait wait").await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.json()["error"]["code"], "pii_model_unavailable");
    assert_eq!(closed.chat("gpt", "Ravi").await.status, 403);
    assert!(mock.requests().is_empty());
    let open = format!("{some}\n    unreachable_fallback: fail_open");
    let open = Start::with(with(&mock, "slow", &open)).run();
    let passed = open.chat("gpt", "wait wait asha.rao@example.org").await;
    assert_eq!(passed.status, 200, "{passed:?}");
    assert!(mock.requests()[0].text().contains("<EMAIL_ADDRESS_1>"));
}

#[tokio::test]
async fn onnx_models_that_can_not_be_loaded_are_told_at_the_start() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    for (config, says) in [
        (
            with(&mock, "nowhere", ""),
            "guardrails[0].litellm_params.onnx: <path>: there is no such folder: export the model",
        ),
        (
            with(&mock, "half", ""),
            "onnx: <path>/model.onnx: the model's output `logits` must be of 32-bit numbers",
        ),
        (
            with(&mock, "words", "").replace("MISC: NRP", "MISK: NRP"),
            "onnx: <path>/config.json: the model has no label `MISK`: it has PER, LOC, ORG, MISC",
        ),
        (
            with(
                &mock,
                "words",
                "pii_entities_config: {PERSON: MASK, LOCATION: MASK}",
            ),
            "LOCATION is found by a model alone, and this one finds PERSON, ORGANIZATION, NRP",
        ),
        (
            with(&mock, "words", "pii_entities_config: {EMAIL_ADDRESS: MASK}"),
            "are found here, without a model",
        ),
        (
            with(&mock, "words", "").replace("libonnxruntime.so", "libnone.so"),
            "onnx: <runtime>: ",
        ),
        (
            with(&mock, "words", "presidio_language: de"),
            "only Presidio's analyzer would take it",
        ),
    ] {
        let (code, log) = Start::with(config).fails();
        assert_eq!(code, 2, "{log}");
        assert!(log.contains(says), "{says}: {log}");
    }
}
