//! How a webhook reaches its receiver.

use std::pin::Pin;

use bartizan_core::BoxError;
use bytes::Bytes;
use http::{HeaderMap, Response};

/// Sends what a [`Webhook`](super::Webhook) tells to the one place that it knows.
///
/// ```
/// use bartizan_auth::watch::Post;
/// use bartizan_core::BoxError;
/// use bytes::Bytes;
/// use http::{HeaderMap, Response};
///
/// /// Tells nobody, and is content.
/// struct Nobody;
///
/// impl Post for Nobody {
///     async fn post(&self, _: HeaderMap, _: Bytes) -> Result<Response<()>, BoxError> {
///         Ok(Response::new(()))
///     }
/// }
/// ```
pub trait Post: Send + Sync + 'static {
    /// Sends the body with these headers by POST, and gives the answer's head: its status, and `retry-after` if it is there. Follows no redirect.
    ///
    /// # Errors
    /// There is no answer. The error is logged, so it must not say the address where that is a secret.
    fn post(
        &self,
        headers: HeaderMap,
        body: Bytes,
    ) -> impl Future<Output = Result<Response<()>, BoxError>> + Send;
}

pub(super) type PostFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<()>, BoxError>> + Send + 'a>>;

/// [`Post`] with its type forgotten.
pub(super) trait AnyPost: Send + Sync {
    fn post(&self, headers: HeaderMap, body: Bytes) -> PostFuture<'_>;
}

impl<P: Post> AnyPost for P {
    fn post(&self, headers: HeaderMap, body: Bytes) -> PostFuture<'_> {
        Box::pin(Post::post(self, headers, body))
    }
}
