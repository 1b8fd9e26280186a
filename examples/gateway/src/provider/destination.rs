//! Where a call goes is the configuration's to say. A request that wants a say in it is refused, not ignored.

use bartizan::core::json::Value;
use bartizan::core::{Refusal, RefusalKind};

/// Fields by which other gateways let a request choose where it goes, with whose key, or past which checks.
const CHOOSES: &[&str] = &[
    "api_base",
    "api_key",
    "api_type",
    "api_version",
    "aws_access_key_id",
    "aws_bedrock_runtime_endpoint",
    "aws_region_name",
    "aws_role_name",
    "aws_secret_access_key",
    "aws_session_token",
    "azure_ad_token",
    "azure_endpoint",
    "base_url",
    "client_secret",
    "config_id",
    "configurable_clientside_auth_params",
    "content_policy_fallbacks",
    "context_window_fallbacks",
    "custom_llm_provider",
    "default_fallbacks",
    "default_headers",
    "deployment_id",
    "disable_global_guardrails",
    "endpoint_url",
    "extra_body",
    "extra_headers",
    "extra_query",
    "fallbacks",
    "guardrail_config",
    "guardrails",
    "headers",
    "litellm_credential_name",
    "litellm_metadata",
    "litellm_params",
    "mock_response",
    "model_list",
    "organization",
    "region_name",
    "s3_endpoint_url",
    "sagemaker_base_url",
    "user_config",
    "vertex_credentials",
    "vertex_location",
    "vertex_project",
    "watsonx_url",
];

/// Members that hold what people and models say, and tools, whose parameters may be called anything.
const CONTENT: &[&str] = &[
    "content",
    "contents",
    "documents",
    "functions",
    "input",
    "instructions",
    "messages",
    "output_config",
    "output_format",
    "prediction",
    "prompt",
    "response_format",
    "system",
    "systemInstruction",
    "system_instruction",
    "text",
    "tools",
];

/// Those of them that stand deeper, in Google's API alone.
const INNER: &[&str] = &[
    "_responseJsonSchema",
    "content",
    "contents",
    "responseJsonSchema",
    "responseSchema",
    "response_json_schema",
    "response_schema",
    "systemInstruction",
    "system_instruction",
    "tools",
];

/// Looks at every member of a request outside of what is said in it, at any depth.
///
/// # Errors
/// 400, with the name of the field.
pub(super) fn check(root: Value<'_>) -> Result<(), Refusal> {
    for (key, value) in root.members() {
        let name = key.text().unwrap_or_default();
        chooses(&name)?;
        if !CONTENT.contains(&name.as_ref()) {
            inside(value)?;
        }
    }
    Ok(())
}

fn inside(value: Value<'_>) -> Result<(), Refusal> {
    for (key, value) in value.members() {
        let name = key.text().unwrap_or_default();
        chooses(&name)?;
        if !INNER.contains(&name.as_ref()) {
            inside(value)?;
        }
    }
    // The scan has bounded the depth.
    value.items().try_for_each(inside)
}

/// Compared as LiteLLM's and other readers might: `API-Base` is no way around `api_base`.
fn chooses(name: &str) -> Result<(), Refusal> {
    let same = |known: &&&str| {
        name.len() == known.len()
            && name
                .bytes()
                .zip(known.bytes())
                .all(|(a, b)| a.to_ascii_lowercase() == b || (a == b'-' && b == b'_'))
    };
    match CHOOSES.iter().find(same) {
        None => Ok(()),
        Some(known) => Err(Refusal::new(
            RefusalKind::BadRequest,
            "destination_not_yours",
            format!(
                "`{known}` is set by the gateway's configuration, not by a request: leave it out"
            ),
        )
        .param(*known)),
    }
}

#[cfg(test)]
mod tests {
    use bartizan::core::json::Json;

    use super::*;

    fn verdict(text: &str) -> Result<(), Refusal> {
        check(Json::read(text).unwrap().root())
    }

    #[test]
    fn every_field_is_refused_at_every_depth() {
        for field in CHOOSES {
            let dashed = field.replace('_', "-").to_uppercase();
            for (name, place) in [(*field, true), (dashed.as_str(), true)] {
                for text in [
                    format!(r#"{{"model":"m","{name}":"x"}}"#),
                    format!(r#"{{"model":"m","{name}":null}}"#),
                    format!(r#"{{"model":"m","metadata":{{"{name}":"x"}}}}"#),
                    format!(
                        r#"{{"model":"m","provider":{{"a":[{{"b":[[{{"{name}":{{}}}}]]}}]}}}}"#
                    ),
                    format!(r#"{{"model":"m","x":[1,"a",{{"{name}":1}}]}}"#),
                    format!(r#"{{"contents":[],"generationConfig":{{"{name}":1}}}}"#),
                    format!(r#"{{"requests":[{{"content":{{}},"{name}":1}}]}}"#),
                ] {
                    assert_eq!(verdict(&text).is_err(), place, "{text}");
                }
            }
            assert!(
                verdict(&format!(
                    r#"{{"m":1,"\u{:04x}{}":1}}"#,
                    field.as_bytes()[0],
                    &field[1..]
                ))
                .is_err(),
                "escaped {field}"
            );
        }
    }

    #[test]
    fn what_is_said_and_what_tools_take_may_be_called_anything() {
        for text in [
            r#"{"model":"m","messages":[{"role":"user","content":"api_base"}],"tools":[{"function":{"parameters":{"properties":{"api_key":{},"headers":{}}}}}]}"#,
            r#"{"model":"m","response_format":{"json_schema":{"schema":{"properties":{"base_url":{}}}}}}"#,
            r#"{"contents":[{"parts":[{"functionCall":{"args":{"headers":1}}}]}],"systemInstruction":{"parts":[{"text":"api_key"}]},"generationConfig":{"responseSchema":{"properties":{"base_url":{}}}}}"#,
            r#"{"generateContentRequest":{"model":"m","contents":[{"parts":[{"functionResponse":{"response":{"api_base":1}}}]}],"tools":[{"functionDeclarations":[{"parameters":{"properties":{"headers":{}}}}]}]}}"#,
            r#"{"model":"m","query":"q","documents":[{"text":"t","headers":"x"}]}"#,
            r#"{"model":"m","metadata":{"note":"api_base=http://x"},"user":"extra_headers"}"#,
        ] {
            assert!(verdict(text).is_ok(), "{text}");
        }
    }
}
