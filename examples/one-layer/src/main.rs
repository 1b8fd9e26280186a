//! Files one ticket and shows what the desk saw and what the customer reads.
#![allow(clippy::print_stdout, reason = "shows something")]

use http::Request;
use one_layer::{Filed, desk};
use tower::ServiceExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ticket = r#"{"subject":"Refund","text":"Call me on 98765 43210 or write to meera@example.in, PAN ABCPK1234L."}"#;
    let response = desk()?
        .oneshot(Request::post("/tickets").body(ticket.into())?)
        .await?;
    let filed = response.extensions().get::<Filed>().cloned();
    println!("sent:  {ticket}");
    println!("filed: {}", filed.map(|filed| filed.0).unwrap_or_default());
    let read = response
        .into_body()
        .into_bytes(64 * 1024)
        .await
        .map_err(|refusal| refusal.message().to_owned())?;
    println!("read:  {}", String::from_utf8_lossy(&read));
    Ok(())
}
