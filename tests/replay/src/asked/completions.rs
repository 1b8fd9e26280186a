use serde_json::Value;

use super::{Asked, Part, strings};

pub(super) fn read(request: &Value) -> Asked {
    let mut asked = Asked {
        max_tokens: request["max_tokens"].as_u64(),
        temperature: request["temperature"].as_f64(),
        top_p: request["top_p"].as_f64(),
        top_k: request["top_k"].as_f64(),
        stop: strings(&request["stop"]),
        stream: request["stream"] == true,
        ..Asked::default()
    };
    asked.user(
        strings(&request["prompt"])
            .into_iter()
            .map(Part::Text)
            .collect(),
    );
    asked
}
