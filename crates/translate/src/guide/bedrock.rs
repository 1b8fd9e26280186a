//! Amazon Bedrock: its own API, Converse, as providers speak it.
//!
//! # Requests
//!
//! | what is said | Converse |
//! |---|---|
//! | instructions | `system`; those inside the conversation move to the front and are reported (`messages.system;moved`) |
//! | turns | roles alternate: neighbours of one role are one turn, results of tools first in it |
//! | texts of white space alone | left out; reported where there was any |
//! | images, sounds, videos | `image`, `audio`, `video` by their data, or from `s3:`; other addresses are refused |
//! | documents | `document`; its name in the characters that the API takes, and no two the same: reported where it is another |
//! | thoughts | `reasoningContent` with `signature`, `redactedContent`, byte for byte, to the models of their maker; others are dropped and reported |
//! | calls, results | `toolUse`, `toolResult` with `status`; ids and names that the API has no room for are shortened with a mark of themselves |
//! | a history of calls without `tools` | the tools' names declared, and reported |
//! | `tool_choice` auto, required, named | left out, `any`, `tool` |
//! | `tool_choice` none | the tools are withheld; where the history calls some they can't be, and that is reported |
//! | `parallel_tool_calls: false` | reported |
//! | `tools` with `strict` | `strict` where the model has it, else reported |
//! | web search, code execution | Nova's `nova_grounding` and `nova_code_interpreter`; refused for other models |
//! | `response_format` | a strict `json_schema` by `outputConfig` where the model has it; any other by a hidden tool |
//! | `cache_control` | `cachePoint` behind the part, with its `ttl`; reported for models that can't be told |
//! | `max_tokens`, `temperature`, `top_p`, `stop` | `inferenceConfig`; temperatures up to 1, 2,500 stop sequences |
//! | `top_k` | in `additionalModelRequestFields`, in the words of Anthropic's, Nova's, Mistral's and Cohere's models; else reported |
//! | `reasoning_effort`, budgets | the same: Anthropic's `thinking` (efforts by `outputConfig`), Nova 2's `reasoningConfig`, `reasoning_effort` of OpenAI's and Moonshot's; else reported |
//! | `service_tier` | `serviceTier` default, flex, priority; else reported |
//! | `guardrail_config` | `guardrailConfig` |
//! | `metadata` | `requestMetadata`, if it fits; else reported |
//! | `user` | reported |
//!
//! # Answers
//!
//! | Converse | |
//! |---|---|
//! | `text`, `reasoningContent`, `toolUse` | texts, thoughts, calls |
//! | `citationsContent` | a text, with the sources on the web; others are declared as dropped, since they point into the request's own documents |
//! | what the provider ran itself | never the client's to run; declared as dropped |
//! | `end_turn`, `stop_sequence` | stop |
//! | `max_tokens`, `model_context_window_exceeded` | length |
//! | `tool_use` | tool calls |
//! | `guardrail_intervened`, `content_filtered` | content filter |
//! | `malformed_tool_use`, `malformed_model_output` | a failure, and no answer |
//! | `inputTokens` | input, apart from `cacheReadInputTokens` and `cacheWriteInputTokens` |
//! | exceptions in a stream | a failure of their class |
//! | `metadata` | the end of a stream |
//!
//! # Anthropic's models by `InvokeModel`
//!
//! They speak Anthropic's dialect there, in an [`Envelope`](crate::catalogue::Envelope): see [its page](super::anthropic).
