//! A request on a connection of its own. HTTP/1.0, so that an answer ends where the connection does.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any of the servers takes for an answer.
const LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

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
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer was cut off");
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        Ok(Answer {
            status: status.ok_or_else(cut)?,
            body: body.to_owned(),
        })
    };
    timeout(LIMIT, exchange).await?
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
