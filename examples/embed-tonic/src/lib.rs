//! A tonic service that was there before, with auth, limit and audit around it.
//!
//! Refusals are trailers-only, so that a tonic client sees the code that is meant: `Unauthenticated`, `ResourceExhausted`.

use bartizan::audit::{AuditLayer, Journal};
use bartizan::auth::{AuthLayer, Keys};
use bartizan::limit::LimitLayer;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::ServiceBuilder;

/// Serves until `stop` is done: the health service stands for your own.
///
/// # Errors
///
/// The socket fails.
pub async fn serve(
    listener: TcpListener,
    keys: Keys,
    journal: Journal,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("", tonic_health::ServingStatus::Serving)
        .await;
    let layers = ServiceBuilder::new()
        .layer(AuditLayer::new(journal))
        .layer(AuthLayer::new(keys))
        .layer(LimitLayer::new().default_rpm(60));
    Server::builder()
        .layer(layers)
        .add_service(health)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stop)
        .await
}
