//! Failures of providers, and the headers of their answers.
//!
//! A failure is told anew, in a translation and where both sides speak one dialect, since the words of providers name keys, accounts
//! and deployments. Kept are the HTTP status, a code from a fixed list, the name of the field at fault, and retry guidance; the provider's
//! words only for 400 and 422, where the caller can mend the request, and without what looks like a credential or an address.
//!
//! # From a provider
//!
//! | what it is | by HTTP status | by name: `type`, `code`, `status`, exception |
//! |---|---|---|
//! | bad request | other 4xx | `invalid_request_error`, `INVALID_ARGUMENT`, `ValidationException`, … |
//! | unauthorized | 401 | `authentication_error`, `UNAUTHENTICATED`; against the status: `API_KEY_INVALID` (400), `UnrecognizedClientException` (403), … |
//! | forbidden | 402, 403 | `permission_error`, `billing_error`, `PERMISSION_DENIED`, `AccessDeniedException` |
//! | not found | 404 | `not_found_error`, `NOT_FOUND`, `ResourceNotFoundException`, `DeploymentNotFound` |
//! | timeout | 408 | `ModelTimeoutException` |
//! | too large | 413 | `request_too_large` |
//! | rate limited | 429 | `rate_limit_error`, `RESOURCE_EXHAUSTED`, `ThrottlingException`, … |
//! | rate limited, and spent | 429 | `insufficient_quota`; against the status: `ServiceQuotaExceededException` (400) |
//! | upstream timeout | 504 | `timeout_error`, `DEADLINE_EXCEEDED` |
//! | overloaded | 529 | `overloaded_error`, `overloaded` |
//! | unavailable | 503 | `UNAVAILABLE`, `ServiceUnavailableException`, `ModelNotReadyException` |
//! | upstream | 3xx, 424, other 5xx | `server_error`, `INTERNAL`, `InternalServerException`; against the status: `ModelErrorException` (424), … |
//!
//! The status counts where there is one; names count in the middle of a stream, and against the status where the table says so. All
//! names stand in `docs/errors.md`.
//!
//! # Whether to try again
//!
//! | the provider says | the client gets |
//! |---|---|
//! | `retry-after` (seconds or a date), `retry-after-ms`, `x-should-retry` | the same, a date as seconds |
//! | nothing, but the body says when (Google's `RetryInfo`, Hugging Face's `estimated_time`) | `retry-after`, `retry-after-ms` |
//! | nothing, and what is used up does not come back: spent, 402, a 429 of Anthropic's without a time | `x-should-retry: false` |
//! | nothing | nothing: each SDK has a habit of its own |
//!
//! # To a client
//!
//! [`Refusal::body`](bartizan_core::Refusal::body) and [`Refusal::event`](bartizan_core::Refusal::event) say it in each dialect; 529 is 503 to all but Anthropic's clients.
//!
//! # Headers
//!
//! Of an answer's headers those pass that [`towards_client`](bartizan_core::towards_client) lists. In a translation, those that mean the same have
//! the names that the client's own provider has for them:
//!
//! | OpenAI and those like it | Anthropic | Amazon Bedrock |
//! |---|---|---|
//! | `x-request-id` | `request-id` | `x-amzn-requestid` |
//! | `x-ratelimit-limit-requests`, `-remaining-requests` | `anthropic-ratelimit-requests-limit`, `-requests-remaining` | |
//! | `x-ratelimit-reset-requests`, a span (`6m0s`) | `anthropic-ratelimit-requests-reset`, a time (RFC 3339) | |
//! | the same with `tokens` | the same with `tokens` | |
//!
//! What has no equal, such as Anthropic's limits of input tokens, keeps its name.
