//! Cohere chat, version 2, as providers speak it.
//!
//! # Requests
//!
//! | what is said | Cohere |
//! |---|---|
//! | instructions | `system` messages, each in its place |
//! | texts, images | `content`; an image by its data or its address, `detail` with it |
//! | documents that are texts | `documents` of the whole request, and reported as moved |
//! | other files, sound, video | refused |
//! | thoughts that nobody signed | `tool_plan` where calls follow, else a part of type `thinking`; what another maker signed is dropped and reported |
//! | calls | `tool_calls`; arguments pass as they were written |
//! | results of tools | `tool` messages, each by its id; documents in them are documents. A failed one says so in its text |
//! | `tools` | the same; all strict: `strict_tools`, else reported |
//! | `tool_choice` none, required | `NONE`, `REQUIRED` |
//! | `tool_choice` of one tool, or some | the others are not offered, and `REQUIRED` |
//! | `parallel_tool_calls: false` | reported |
//! | `response_format` | `json_object`, with `json_schema`; beside tools or documents by a hidden tool, since the API has not both |
//! | `reasoning_effort`, budgets | `thinking` with a `token_budget`, by the table of Anthropic's budgets; reported for models that don't think |
//! | `temperature` | up to 1 |
//! | `top_p` | `p`, 0.01 to 0.99: beyond it the nearest, and reported |
//! | `top_k`, `seed`, `stop` | `k`, `seed`, `stop_sequences`, 5 at most |
//! | penalties | 0 to 1: over it 1, and reported; below it dropped and reported |
//! | `safety_mode`, `documents`, `citation_options` | the same, where a caller says them in its own dialect |
//!
//! # Answers
//!
//! | Cohere | |
//! |---|---|
//! | parts of type `text`, `thinking` | texts, thoughts |
//! | `tool_plan` | a thought: what the model means to do with its tools is not said to the user |
//! | `tool_calls` | calls; nothing said is `{}` |
//! | `citations` | those of a source on the web; others are declared as dropped, since they point into the request's own documents |
//! | `COMPLETE`, `STOP_SEQUENCE` | stop |
//! | `MAX_TOKENS`, `TOOL_CALL`, `ERROR_TOXIC` | length, tool calls, content filter |
//! | `ERROR`, `TIMEOUT` | a failure of the provider's, and no answer |
//! | `usage.tokens`, `cached_tokens` | the usage: what the model read and wrote. `billed_units` count what Cohere's own prompt left over |
//! | `message-end` | the end of a stream |
