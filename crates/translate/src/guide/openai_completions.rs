//! OpenAI completions, the older API: a prompt, and how a model goes on from it.
//!
//! | completions | a conversation |
//! |---|---|
//! | `prompt`, one text | one message of the user's; several prompts, and prompts of tokens, are refused |
//! | `choices[].text` | what the model says, refusals too; thoughts and calls have no place, and are declared |
//! | `max_tokens` | the same. Unsaid, no limit is made up: other APIs do not stop at 16 tokens as this one does |
//! | `suffix`, `echo` | refused; to a provider of completions they pass |
//! | `best_of`, `logprobs` | reported |
//! | `n` over 1 | refused |
//!
//! The other way, a conversation is sent only where it is one text of the user's and nothing else. `max_tokens` must then be known, by the
//! caller or the table of models: the API would stop at 16.
