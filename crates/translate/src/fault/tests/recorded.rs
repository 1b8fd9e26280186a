//! Recorded failures.

use super::*;

/// What providers really answered: a prompt that is too long is told so that clients can act on it, and no key is named.
#[test]
fn recorded_failures_are_told_so_that_clients_can_act_on_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/exchanges");
    let Ok(folder) = std::fs::read_dir(folder) else {
        return;
    };
    let (mut count, mut too_long) = (0, 0);
    for file in folder {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let dialect = match name.split('.').next().unwrap() {
            "anthropic" => Dialect::AnthropicMessages,
            "gemini" | "vertex" => Dialect::Gemini,
            "bedrock" => Dialect::BedrockConverse,
            "cohere" => Dialect::CohereChat,
            _ => Dialect::OpenAiChat,
        };
        if !name.ends_with(".jsonl") {
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let response = &record["response"];
            let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
            let Some(body) = response["body"]["text"].as_str().filter(|_| status >= 400) else {
                continue;
            };
            count += 1;
            let headers: Vec<(&str, &str)> = response["headers"]
                .as_object()
                .unwrap()
                .iter()
                .filter(|(name, _)| *name != "content-type")
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                .collect();
            let got = failed(dialect, Dialect::OpenAiChat, status, &headers, body);
            let error = &got.body["error"];
            let says = error["message"].as_str().unwrap();
            if status == 400 && table::says_too_long(body) || body.contains("context_length") {
                too_long += 1;
                assert_eq!(error["code"], "context_length_exceeded", "{name}: {body}");
            }
            assert!(
                !says.contains("http") && !says.contains("invalid-key"),
                "{says}"
            );
            assert!((400..600).contains(&got.head.status.as_u16()));
        }
    }
    assert!(count >= 25 && too_long >= 7, "{count} {too_long}");
}
