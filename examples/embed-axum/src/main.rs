//! Serves on 127.0.0.1:8080 with the keys that the environment holds.
#![allow(clippy::print_stdout, reason = "says where it listens")]

use embed_axum::app;
use secrecy::SecretString;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = |name: &str| match std::env::var(name) {
        Ok(value) => Ok(SecretString::from(value)),
        Err(_) => Err(format!(
            "set {name} to 32 random characters or more: `openssl rand -hex 32`"
        )),
    };
    let app = app(secret("MASTER_KEY")?, &secret("PEPPER")?)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
