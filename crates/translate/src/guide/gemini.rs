//! Gemini `generateContent` and `streamGenerateContent`, Google AI's and Vertex AI's.
//!
//! The model, and whether the answer is streamed, stand in the path. A stream that is not asked for with `alt=sse` is one JSON array, which
//! [`ArrayLayer`](crate::ArrayLayer) makes outside of all other layers; a provider is always asked with `alt=sse`. Members are read in both spellings, `maxOutputTokens` and
//! `max_output_tokens`.
//!
//! # Requests of a client
//!
//! | Gemini | what is said |
//! |---|---|
//! | `systemInstruction` | instructions |
//! | `contents` | turns; neighbouring ones of the model are one, since SDKs keep each piece of a stream apart |
//! | `text`, `thought`, `thoughtSignature` | texts, thoughts, what signs them; another maker's thought stands before the text or the call that bears its seal |
//! | `inlineData`, `fileData` | images, files, sound, video |
//! | `functionCall`, `functionResponse` | calls and results, by their ids or else by name and order; ids that are missing hang on the call's place alone |
//! | `functionDeclarations` | functions, by `parametersJsonSchema` or the older `parameters`, which become a JSON schema |
//! | `googleSearch` | a search of the web, where the provider has one; other tools of Google's own are refused |
//! | `functionCallingConfig` | AUTO, ANY, NONE; `allowedFunctionNames` |
//! | `generationConfig` | sampling, stop sequences, the form of the answer, `thinkingConfig` |
//! | `safetySettings` | reported |
//! | `cachedContent` | refused: the prompt lies at Google |
//! | `candidateCount` over 1 | refused |
//!
//! # Answers to a client
//!
//! Parts in their order. A call is told when its arguments are whole, since the API has no pieces of them. Thoughts are told where
//! `includeThoughts` asks for them; what signs them always. What signs a thought that is not told stands on the part that it led to, a
//! text or a call, as Google puts it: clients drop parts without words. The reason why the model stopped and the usage come when the provider says
//! that the answer is whole: a stream that is cut has neither, and ends in an error. Nothing shows that the connection is alive: Google's
//! SDKs take a comment for JSON.
//!
//! # Requests to a provider
//!
//! | what is said | Gemini |
//! |---|---|
//! | instructions | `systemInstruction`; those inside the conversation move to the front and are reported |
//! | neighbours of one side | one content |
//! | results of tools | as many `functionResponse` as there were calls, in the content right after them, each by its name: `output`, or `error` for a failed one |
//! | signatures | on the part that the thought led to; the first call of a step that has none gets the word that Google documents for it |
//! | images, files, sound, video | `inlineData`, or `fileData` by address, which Google fetches |
//! | `tools` | `functionDeclarations` with `parametersJsonSchema` |
//! | `tool_choice` | AUTO, ANY, NONE, `allowedFunctionNames` |
//! | `response_format` | `responseMimeType`, `responseJsonSchema` |
//! | efforts and budgets | `thinkingBudget`, or `thinkingLevel` for later models |
//! | `stop` | `stopSequences`, five at most |
//! | `cache_control` | reported: the provider caches by itself |
//!
//! # Answers of a provider
//!
//! | Gemini | |
//! |---|---|
//! | `STOP` | stop; tool calls where the model waits for results, though the calls came a chunk before |
//! | `MAX_TOKENS` | length |
//! | `SAFETY`, `RECITATION`, `BLOCKLIST`, `PROHIBITED_CONTENT`, `SPII`, a blocked prompt | content filter |
//! | `MALFORMED_FUNCTION_CALL` and its like | a failure, and no answer |
//! | `promptTokenCount` | input, with what was cached taken apart |
//! | `candidatesTokenCount`, `thoughtsTokenCount` | output and reasoning, apart |
//! | `groundingMetadata` with addresses | citations; the rest is declared as dropped |
//! | code that ran there, data | declared as dropped |
//! | a clean end after the reason | the end of a stream |
