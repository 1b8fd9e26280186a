//! Gemini `generateContent`, `streamGenerateContent` and `countTokens`, Google AI's and Vertex AI's.
//!
//! # Requests
//!
//! | elsewhere | here |
//! |---|---|
//! | the model, `stream` | the path; a client's stream is asked for with `alt=sse`; one JSON array is made of its events outside, by [`ArrayLayer`](crate::ArrayLayer) |
//! | members | in camel case; a client's as they stand in the schema too (`file_data`), but not both at once |
//! | instructions | `systemInstruction`; those inside the conversation move to the front and are reported |
//! | turns of one side | one content; a client's pieces of a stream, which SDKs keep apart, are one turn |
//! | results of tools | `functionResponse`, as many as the calls, in their order, right after them; a text that is an object as it is, else `output`, a failure `error`; media inside, or for models before Gemini 3 beside (reported) |
//! | ids of calls | Google AI's as they are, none to Vertex AI, which refuses them; a client's calls without ids get `call_0`, `call_1`, … by their place, and results find their calls by name and order |
//! | `signature` of a call, a thought | `thoughtSignature` on the part it stood on; one that came on a text is a redacted thought elsewhere, before the text or in a stream behind it |
//! | another maker's thought | its words as a thought; what signs it goes to its maker alone (reported) |
//! | calls that no Gemini made | Gemini 3 checks the first call of each step since the user spoke: it gets Google's word for that, `skip_thought_signature_validator`, and that is reported |
//! | schemas | `parametersJsonSchema`, `responseJsonSchema`: whole; a client's older ones (`parameters`, `responseSchema`: OpenAPI's) become JSON schemas |
//! | choice of tools | `AUTO`, `NONE`, `ANY`, `ANY` or `VALIDATED` with `allowedFunctionNames` |
//! | images, sounds, films, documents | `inlineData`; an address `fileData`, which Google fetches; a file by its id only where it lies at Google |
//! | efforts and budgets | `thinkingLevel` or `thinkingBudget`, by what the model takes; `includeThoughts` where thoughts are asked for |
//! | what the provider runs | `googleSearch`, `codeExecution`, `urlContext`; a client's others are refused elsewhere |
//! | a cache | marks are reported; a client's `cachedContent` is refused elsewhere |
//! | metadata | `labels`, for Vertex AI, where they fit; else reported |
//!
//! # Answers
//!
//! | here | elsewhere |
//! |---|---|
//! | parts `text`, `thought`, `functionCall` | texts, thoughts, calls; ids are made of the answer's where there are none |
//! | `executableCode`, `codeExecutionResult`, data | never the client's to run; left out and declared |
//! | `STOP` after calls | tool calls, in a stream too, where it may come later |
//! | `SAFETY`, `RECITATION`, … and `promptFeedback.blockReason` | content filter, with Google's words for it |
//! | `MALFORMED_FUNCTION_CALL` and its like | a failure (502), not an answer |
//! | `promptTokenCount`, `toolUsePromptTokenCount` | input, cached tokens taken out of it |
//! | `candidatesTokenCount`, `thoughtsTokenCount` | output, reasoning: they stand side by side |
//! | `groundingMetadata` | citations, placed in characters |
//!
//! To a client, thoughts are told if it asks with `includeThoughts`, as Google does; another maker's signatures travel in base64, which
//! Google's SDKs ask for, with the thought's words where those are not told, on the text or the call that the thought led to. Calls are told whole: the API has no pieces of arguments, and
//! arguments that are no object end in `MALFORMED_FUNCTION_CALL`. Nothing shows that a connection is alive, since SDKs take a comment for
//! JSON.

mod count;
mod fields;
mod files;
mod from_client;
mod from_provider;
mod models;
mod seal;
mod to_client;
mod to_provider;

#[cfg(test)]
mod recorded;

pub(crate) use count::{decode as decode_count, encode as encode_count, set_model};
pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;
pub(crate) use to_provider::encode as encode_ask;
