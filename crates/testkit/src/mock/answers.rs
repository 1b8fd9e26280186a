//! The answers that have no words: errors, models, embeddings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

use super::json::{Raw, object};
use super::prompt::{Api, Prompt};
use super::said::CREATED;

/// The body by which the dialect says `status`.
pub(super) fn error(api: Api, status: StatusCode, message: &str) -> String {
    if api.is_anthropic() {
        anthropic_error(status, message).0
    } else {
        openai_error(status, message).0
    }
}

/// The event by which the dialect says that a stream has failed.
pub(super) fn error_event(api: Api, place: usize) -> String {
    let overloaded = StatusCode::SERVICE_UNAVAILABLE;
    match api {
        Api::Messages => {
            let status = StatusCode::from_u16(529).unwrap_or(overloaded);
            format!(
                "event: error\ndata: {}\n\n",
                anthropic_error(status, "Overloaded").0
            )
        }
        Api::Responses => {
            let place = u64::try_from(place).unwrap_or(u64::MAX);
            let event = object! {
                "type": "error",
                "code": "server_error",
                "message": "The server had an error while processing your request.",
                "param": (),
                "sequence_number": place,
            };
            format!("event: error\ndata: {}\n\n", event.0)
        }
        _ => format!(
            "data: {}\n\n",
            openai_error(overloaded, "The server is overloaded.").0
        ),
    }
}

fn openai_error(status: StatusCode, message: &str) -> Raw {
    let (kind, code) = match status.as_u16() {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        403 => (
            "invalid_request_error",
            Some("unsupported_country_region_territory"),
        ),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        400..500 => ("invalid_request_error", None),
        _ => ("server_error", None),
    };
    object! { "error": object! { "message": message, "type": kind, "param": (), "code": code } }
}

fn anthropic_error(status: StatusCode, message: &str) -> Raw {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    };
    object! {
        "type": "error",
        "error": object! { "type": kind, "message": message },
        "request_id": "req_mock",
    }
}

pub(super) fn models() -> String {
    let model =
        |id: &str| object! { "id": id, "object": "model", "created": CREATED, "owned_by": "mock" };
    object! { "object": "list", "data": vec![model("mock-echo"), model("mock-tools")] }.0
}

/// Nothing is flagged.
pub(super) fn moderations(prompt: &Prompt) -> String {
    let results: Vec<Raw> = prompt
        .inputs
        .iter()
        .map(|_| {
            object! {
                "flagged": false,
                "categories": object! { "hate": false, "violence": false },
                "category_scores": object! { "hate": Raw("0.01".to_owned()), "violence": Raw("0.02".to_owned()) },
            }
        })
        .collect();
    object! { "id": "modr-mock", "model": prompt.model, "results": results }.0
}

/// The first document is the best, and each that follows half as good.
pub(super) fn rerank(prompt: &Prompt) -> String {
    let results: Vec<Raw> = prompt
        .inputs
        .iter()
        .zip(0_u64..)
        .map(|(_, index)| {
            let score = 1.0 / f64::from(1_u32 << index.min(30));
            object! { "index": index, "relevance_score": Raw(score.to_string()) }
        })
        .collect();
    let billed = object! { "search_units": 1_u64 };
    object! { "id": "rerank-mock", "results": results, "meta": object! { "billed_units": billed } }
        .0
}

/// A vector an input, the same for the same text.
pub(super) fn embeddings(prompt: &Prompt) -> String {
    let data: Vec<Raw> = prompt
        .inputs
        .iter()
        .zip(0_u64..)
        .map(|(input, index)| object! { "object": "embedding", "index": index, "embedding": vector(input, prompt) })
        .collect();
    let usage = object! { "prompt_tokens": prompt.tokens, "total_tokens": prompt.tokens };
    object! { "object": "list", "data": data, "model": prompt.model, "usage": usage }.0
}

fn vector(input: &str, prompt: &Prompt) -> Raw {
    let mut seed = input.bytes().fold(0_u64, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let numbers: Vec<f32> = (0..prompt.dimensions)
        .map(|_| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let [high, low, ..] = seed.to_be_bytes();
            f32::from(i16::from_be_bytes([high, low])) / 32_768.0
        })
        .collect();
    if prompt.base64 {
        let bytes: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        return Raw(serde_json::Value::from(STANDARD.encode(bytes)).to_string());
    }
    let numbers: Vec<String> = numbers.iter().map(f32::to_string).collect();
    Raw(format!("[{}]", numbers.join(",")))
}
