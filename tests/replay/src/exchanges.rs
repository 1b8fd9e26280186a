//! The recorded exchanges, read where they lie.

use std::path::PathBuf;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::api::{Api, FILES};
use crate::said::{self, Said};
use crate::{derived, frames};

/// What a client asked, and what a provider answered.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The file that it stands in, or that it is derived from another's.
    pub file: String,
    /// Its place in the file, counted from 0.
    pub index: usize,
    /// What is spoken.
    pub api: Api,
    /// What the model is called there.
    pub model: String,
    /// Whether the answer is a stream.
    pub stream: bool,
    /// The request's text.
    pub request: String,
    /// The answer's status.
    pub status: u16,
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The answer's body.
    pub body: Bytes,
    /// What was recorded of it beside, such as `tool_call`.
    pub tags: Vec<String>,
}

/// All exchanges of chats; none where the folder with them is not there.
#[must_use]
pub fn all() -> &'static [Exchange] {
    static ALL: LazyLock<Vec<Exchange>> = LazyLock::new(|| {
        let recorded: Vec<Exchange> = FILES
            .iter()
            .flat_map(|(file, api)| of(file, *api))
            .collect();
        let derived: Vec<Exchange> = recorded.iter().flat_map(derived::from).collect();
        recorded.into_iter().chain(derived).collect()
    });
    &ALL
}

/// The recorded lines of one file, as they are.
#[must_use]
pub fn lines(file: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/exchanges")
        .join(format!("{file}.jsonl"));
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn of(file: &str, api: Api) -> Vec<Exchange> {
    let lines = lines(file).into_iter().enumerate();
    lines
        .filter_map(|(index, line)| {
            let (request, response) = (&line["request"], &line["response"]);
            let body = &response["body"];
            let body = match body["base64"].as_str() {
                Some(base64) => Bytes::from(STANDARD.decode(base64).ok()?),
                None => Bytes::from(body["text"].as_str()?.to_owned()),
            };
            Some(Exchange {
                file: file.to_owned(),
                index,
                api,
                model: model(&line, api),
                stream: line["stream"] == true,
                request: request["body"]["text"].as_str()?.to_owned(),
                status: u16::try_from(response["status"].as_u64()?).ok()?,
                headers: headers(&response["headers"]),
                body,
                tags: line["tags"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|tag| tag.as_str().map(str::to_owned))
                    .collect(),
            })
        })
        .collect()
}

fn headers(recorded: &Value) -> HeaderMap {
    let recorded = recorded.as_object().into_iter().flatten();
    recorded
        .filter_map(|(name, value)| {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            Some((name, HeaderValue::try_from(value.as_str()?).ok()?))
        })
        .collect()
}

/// In the line, in the path, or of the API's usual ones.
fn model(line: &Value, api: Api) -> String {
    let path = line["request"]["path"].as_str().unwrap_or_default();
    let named = match api {
        Api::Gemini => path
            .rsplit('/')
            .next()
            .and_then(|last| last.split(':').next()),
        Api::Converse => path.split('/').nth(2),
        _ => line["model"].as_str(),
    };
    let named = named.filter(|name| !name.is_empty() && !name.contains('<'));
    named.unwrap_or(api.model()).to_owned()
}

impl Exchange {
    /// Its name in reports.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.file, self.index)
    }

    /// Whether the provider answered as asked.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The media type of the answer.
    #[must_use]
    pub fn media_type(&self) -> &str {
        let value = self.headers.get(http::header::CONTENT_TYPE);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// What the provider said. `None` for errors and what is no JSON.
    #[must_use]
    pub fn said(&self) -> Option<Said> {
        if !self.is_success() {
            return None;
        }
        if self.stream {
            return Some(said::streamed(
                self.api,
                &frames::of(self.media_type(), &self.body),
            ));
        }
        let answer = serde_json::from_slice(&self.body).ok()?;
        Some(said::whole(self.api, &answer))
    }
}
