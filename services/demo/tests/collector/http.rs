//! Requests in HTTP/1.0, which none of the servers answers in chunks.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use crate::support::http::{Answer, exchange};

/// Longer than any of the servers takes for an answer.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) async fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    ask(address, &format!("GET {path}"), "", "").await
}

pub(crate) async fn send(
    address: SocketAddr,
    target: &str,
    key: Option<&str>,
    body: &str,
) -> io::Result<Answer> {
    let key = key.map_or_else(String::new, |key| format!("idempotency-key: \"{key}\"\r\n"));
    ask(address, target, &key, body).await
}

async fn ask(address: SocketAddr, target: &str, fields: &str, body: &str) -> io::Result<Answer> {
    let length = body.len();
    let request = format!(
        "{target} HTTP/1.0\r\nhost: {address}\r\n{fields}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    timeout(LIMIT, exchange(address, &request)).await?
}
