//! Anthropic messages.
//!
//! # Requests to a provider
//!
//! | what is said | Anthropic |
//! |---|---|
//! | instructions | `system`; those inside the conversation move to the front and are reported (`messages.system;moved`) |
//! | neighbours of one role | one turn; empty texts go, a turn with nothing in it is dropped and reported |
//! | results of tools | `tool_result` blocks, first in the user's turn, each by its id; `is_error` is kept |
//! | calls | `tool_use`; arguments pass as they were written, and must be one JSON object (empty: `{}`) |
//! | ids of calls | as they are; characters that the API refuses are written as `_` and two hex digits |
//! | a history of calls without `tools` | the tools' names declared, `tool_choice` none |
//! | `tools`, `strict` | `tools`; `strict` where the model has it, else reported |
//! | a search of the web | `web_search_20250305`; other tools of a provider's own are refused |
//! | `tool_choice` none, auto, required, named | none, auto, any, tool |
//! | `parallel_tool_calls: false` | `disable_parallel_tool_use: true` |
//! | images | `image` by base64, or by URL, which Anthropic fetches; `detail` is reported |
//! | files | `document`: PDF, plain text, or a URL; files by id are refused |
//! | sound, video | refused |
//! | `stop` | `stop_sequences`; one of white space alone is refused |
//! | `max_completion_tokens` | `max_tokens`; unsaid, the model's own maximum by [`ModelFacts`](crate::ModelFacts); unknown, refused or [`default_max_tokens`](crate::TranslateLayer::default_max_tokens) |
//! | `temperature`, `top_p`, `top_k` | the same; 1 is what happens anyway. Over 1 by [`TooHot`](crate::TooHot). Reported where the model takes none, with thinking, and `top_p` beside a temperature |
//! | efforts and budgets | `thinking`, or `output_config.effort`, as the model has it |
//! | whether to tell the thoughts | `thinking.display` |
//! | `response_format` | a strict `json_schema` by `output_config.format`; any other by a hidden tool that the model must call, whose arguments become the content |
//! | `user` | `metadata.user_id` |
//! | `service_tier` default | `standard_only`; other tiers are reported |
//! | `cache_control` | the same, on the request, parts, tools, calls |
//! | thoughts | `thinking` and `redacted_thinking`, before all else in the turn; unsigned ones are dropped and reported |
//!
//! Thinking is dropped and reported where Anthropic would refuse it: with a forced tool (the hidden one too), when the last results answer
//! calls that were made without it, and when fewer than 1,024 tokens are left for it.
//!
//! # Answers of a provider
//!
//! | Anthropic | |
//! |---|---|
//! | `text`, `thinking`, `redacted_thinking`, `tool_use` | texts, thoughts, calls |
//! | citations of a page on the web | citations; those that point into the request's own documents are declared as dropped |
//! | what the provider ran itself | never the client's to run; declared as dropped |
//! | `end_turn`, `stop_sequence`, `pause_turn` | stop |
//! | `max_tokens`, `model_context_window_exceeded` | length |
//! | `tool_use` | tool calls |
//! | `refusal` | content filter, and the explanation as a refusal |
//! | `input_tokens`, `cache_read_…`, `cache_creation_…` | three classes that do not overlap |
//! | `output_tokens`, `thinking_tokens` in its details | output and reasoning, apart |
//! | `ping` | a sign of life, in the client's words |
//! | `error` event | the client's error; nothing follows |
//! | `message_stop` | the end of a stream |
//!
//! # Requests of a client
//!
//! Every member of the API is read. Refused where another API has no word for it and the answer would be another: `container`,
//! `mcp_servers`, `inference_geo`, and tools that the provider runs, but for a search of the web where the other side has one. Reported:
//! `context_management`, `speed`, `output_config.task_budget`, a document's `context` and `citations`, the citations of an earlier answer, a
//! tool's `input_examples`, `defer_loading`, `allowed_callers` and `eager_input_streaming`, a call's `caller` where code made it. A `search_result` goes as a document of its text. What the provider ran itself earlier in the
//! conversation is left out and reported.
//!
//! # Answers to a client
//!
//! | what the model did | Anthropic |
//! |---|---|
//! | texts, thoughts, calls | blocks in their order; empty arguments are `{}` |
//! | a refusal in the model's words | a `text` block, and `stop_reason` `refusal` |
//! | citations | `web_search_result_location`, with an empty `encrypted_index` |
//! | stopped, by a sequence it names | `end_turn`, `stop_sequence` |
//! | length, tool calls, content filter | `max_tokens`, `tool_use`, `refusal` |
//! | usage | `input_tokens` without what was cached; in a stream all of it with `message_delta` |
//!
//! In a stream a block is stopped when the next begins. A call goes on until its arguments are one whole object, since some providers
//! interleave their calls; it is stopped at the latest at the end.
//!
//! # On Bedrock and on Vertex AI
//!
//! The same dialect in another envelope: the version stands in the body, the model in the path, betas in the body, and on Bedrock a
//! stream's events lie in AWS's frames. An Anthropic client's bytes pass but for these.
