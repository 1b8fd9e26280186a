//! Serves on 127.0.0.1:50051 with a key that it prints once; each call is a line in audit.jsonl.
#![allow(clippy::print_stdout, reason = "shows the key")]

use bartizan::audit::{FileSink, Journal};
use bartizan::auth::{KeyRequest, Keys, MasterKey, MemoryStore, Pepper};
use secrecy::{ExposeSecret, SecretString};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = |name: &str| match std::env::var(name) {
        Ok(value) => Ok(SecretString::from(value)),
        Err(_) => Err(format!(
            "set {name} to 32 random characters or more: `openssl rand -hex 32`"
        )),
    };
    let master_key = secret("MASTER_KEY")?;
    let admin = MasterKey::new(master_key.clone())?
        .verify(master_key.expose_secret())
        .ok_or("no master key")?;
    let keys = Keys::new(MemoryStore::new(), Pepper::new(&secret("PEPPER")?)?);
    let minted = keys.generate(&admin, KeyRequest::default()).await?;
    let journal = Journal::builder()
        .open(FileSink::new("audit.jsonl"))
        .await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:50051").await?;
    println!(
        "http://{}\nauthorization: Bearer {}",
        listener.local_addr()?,
        minted.key.expose_secret()
    );
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    embed_tonic::serve(listener, keys, journal.clone(), stop).await?;
    Ok(journal.shutdown(std::time::Duration::from_secs(5)).await?)
}
