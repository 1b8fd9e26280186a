//! Embeddings, rerank, moderations and counts of tokens: one question, one whole answer.
//!
//! # Embeddings
//!
//! | what | OpenAI | Gemini | Vertex `predict` | Cohere | Ollama | Amazon Titan, Nova |
//! |---|---|---|---|---|---|---|
//! | texts | `input` | `content`, `requests` | `instances` | `texts` | `input` | `inputText`, `text.value` |
//! | most in one request | 2,048 | 100 | 250; `gemini-embedding…` 1 | 96 | none stated | 1 |
//! | tokens | `input` | refused | refused | refused | refused | refused |
//! | images | refused | `inlineData` | refused | `images`, `inputs` | refused | Nova |
//! | what for | `input_type`, where the server takes it | `taskType` | `task_type` | `input_type`, which it needs | reported | Nova's `embeddingPurpose`, which it needs |
//! | title | reported | `title` | `title` | reported | reported | reported |
//! | size | `dimensions` | `outputDimensionality` | `outputDimensionality` | `output_dimension` | `dimensions` | `dimensions`, `embeddingDimension` |
//! | too long a text | as the server does | as it does | `autoTruncate` | `truncate` | `truncate` | Nova's `truncationMode` |
//! | base64 | `encoding_format` | made here | made here | made here | made here | made here |
//!
//! Where a provider must be told what the vectors are for and the caller does not say, it is told: to be searched among
//! (`search_document`, `GENERIC_INDEX`), and `input_type;changed` reports it. Batches over a provider's limit are refused with the number:
//! the caller knows best how to cut them. Numbers keep their spelling; between a list and base64, which holds the four bytes of a 32-bit
//! float each, lowest first, they keep their 32 bits.
//!
//! A compatible server's own words for OpenAI's members are its quirks ([`Target::quirks`](crate::Target::quirks)): Mistral's
//! `output_dimension`; no `encoding_format`, and base64 is made here; Perplexity's signed bytes, which become numbers. Cohere at Amazon
//! Bedrock, known by its model's name, gets no `model`.
//!
//! A provider that says no count of tokens leaves an answer without `usage`: no count is invented.
//!
//! # Rerank
//!
//! Rerank, in Cohere's shape, which most others have taken over.
//!
//! | Cohere and its kin | text-embeddings-inference |
//! |---|---|
//! | `model`, `query` | the server has one model; `query` |
//! | `documents`: texts, or objects of a `text` | `texts` |
//! | `top_n`, or `top_k` as Voyage calls it | the best of the answer |
//! | `return_documents` | the documents of the request stand in the answer; nobody is asked to send them back |
//! | `max_tokens_per_doc`, `priority` | reported |
//! | `truncation` | `truncate` |
//!
//! Amazon Bedrock takes Cohere's body without `model`, and with `api_version: 2`.
//!
//! Answers have their scores in `results` (Cohere, Jina, OpenRouter, Together, vLLM), in `data` (Voyage) or are a bare list
//! (text-embeddings-inference). Each comes out in Cohere's `results`, best first, as the provider scored it: scores of different models
//! can't be compared. Searches that are billed stand in `meta.billed_units`, tokens in `meta.tokens`.
//!
//! # Moderations
//!
//! Moderations, in OpenAI's shape.
//!
//! Mistral has the same shape and other categories; text alone can be judged there.
//!
//! | Mistral | OpenAI |
//! |---|---|
//! | `sexual` | `sexual` |
//! | `hate_and_discrimination` | `hate` |
//! | `violence_and_threats` | `violence` |
//! | `dangerous`, `criminal`, `dangerous_and_criminal_content` | `illicit`: one of them, and the highest score |
//! | `selfharm` | `self-harm` |
//! | `health`, `financial`, `law`, `pii`, `jailbreaking` and what is new | under its own name |
//! | (none) | `flagged`: whether a category is true that OpenAI has too. Advice on health is no offence |
//!
//! OpenAI's other categories are absent from the answer: nobody has looked for them.
//!
//! # Counts of tokens
//!
//! A provider that counts (Anthropic, Gemini) is asked in its own words, at the address where it answers. For one that does not, the
//! answer is an estimate: four bytes of English a token, two of other scripts. It says so in its member `bartizan_estimated` and in the
//! header [`ESTIMATED`](crate::ESTIMATED).
