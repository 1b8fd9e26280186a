//! Amazon Bedrock's own API, Converse. What becomes what: [`guide::bedrock`](crate::guide::bedrock).

mod exception;
mod family;
mod frames;
mod from_provider;
mod to_provider;

pub(crate) use frames::Frames;
pub(crate) use to_provider::encode as encode_ask;
