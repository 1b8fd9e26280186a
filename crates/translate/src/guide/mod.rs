//! What becomes what: one page a dialect. Nothing but words.
//!
//! Both sides of a translation meet in a model of what a message says, so that a page says once what a dialect's client can ask for and gets,
//! and what its provider is asked for and answers, whoever stands on the other side.
//!
//! | page | from its clients | to its providers |
//! |---|---|---|
//! | [OpenAI chat completions](openai_chat), and servers compatible with it | yes | yes |
//! | [OpenAI responses](openai_responses) | yes, stateless | yes |
//! | [OpenAI completions](openai_completions) | yes | one text of the user's |
//! | [Anthropic messages](anthropic), on Bedrock and Vertex AI too | yes | yes |
//! | [Gemini](gemini), Google AI's and Vertex AI's | yes | yes |
//! | [Bedrock Converse](bedrock) | | yes |
//! | [Cohere chat](cohere) | | yes |
//! | [Ollama's own chat](ollama) | | yes |
//! | [embeddings, rerank, moderations, counts of tokens](others) | yes | yes |
//! | [failures and headers](failures) | | of every provider, to every client |
//!
//! # Whose thought it is
//!
//! Providers sign or encrypt what their models think, and want it back byte for byte with the history. A signature goes to its own maker and to
//! nobody else; at another provider it is left out and reported. Where a client's dialect has no word for whose it is, it carries the
//! maker's name in front (`google:…`), and the maker gets it back without.
//!
//! | client's dialect | a signed or encrypted thought | a signature on a call (Gemini's) |
//! |---|---|---|
//! | OpenAI chat | `reasoning_details`, with the maker in `format` | `extra_content.google.thought_signature` |
//! | OpenAI responses | a `reasoning` item with `encrypted_content` | one right before the call |
//! | Anthropic | `thinking` with `signature`, `redacted_thinking` | a `redacted_thinking` right before the call |
//! | Gemini | `thoughtSignature` on the thought's part | on the call's part |
//!
//! # How hard to think
//!
//! Efforts become budgets where a model thinks by a budget, never more than three quarters of the answer's tokens, so that room for the answer
//! stays; budgets become efforts where it thinks by effort, and that is reported.
//!
//! | | minimal | low | medium | high | xhigh | max |
//! |---|---|---|---|---|---|---|
//! | Anthropic, Bedrock, Cohere | 1,024 | 2,048 | 8,192 | 16,384 | 32,768 | all there is |
//! | Gemini, by Google's own table | 1,024 | 1,024 | 8,192 | 24,576 | all there is | all there is |
//! | a budget up to …, as an effort | | 2,048 | 8,192 | more | | |
//!
//! # Images and files by their addresses
//!
//! They go on to providers that fetch themselves. To those that take the data alone they are fetched here, where [`fetch`](crate::fetch) says
//! from where, and are else refused.
//!
//! # Tools that take any text
//!
//! OpenAI's `custom` tools go to other providers as functions with one string, and their calls come back as calls of the tool. A grammar
//! can't be kept to there: it is left out and reported. Which of the tools may be called (`allowed_tools`) becomes which are offered.

pub mod anthropic;
pub mod bedrock;
pub mod cohere;
pub mod failures;
pub mod gemini;
pub mod ollama;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_responses;
pub mod others;
