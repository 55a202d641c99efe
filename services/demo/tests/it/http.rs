//! A request on a connection of its own, which is either refused or answered.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

/// What is asked of a service.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: &'static str,
    path: String,
    key: Option<String>,
    body: &'static str,
}

// === impl Ask ===

impl Ask {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            key: None,
            body: "",
        }
    }

    pub(crate) fn put(path: impl Into<String>, body: &'static str) -> Self {
        Self {
            method: "PUT",
            body,
            ..Self::get(path)
        }
    }

    /// One of the first product.
    pub(crate) fn order(key: impl Into<String>) -> Self {
        Self {
            method: "POST",
            key: Some(key.into()),
            ..Self::put("/orders", r#"{"product_id": 1, "quantity": 1}"#)
        }
    }

    /// Sends it and reads the answer to its end.
    pub(crate) async fn of(&self, address: SocketAddr) -> io::Result<Answer> {
        let Self {
            method,
            path,
            key,
            body,
        } = self;
        let key = key
            .as_ref()
            .map_or_else(String::new, |key| format!("idempotency-key: \"{key}\"\r\n"));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{key}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer was cut off");
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
        let (head, body) = (head.to_ascii_lowercase(), body.to_owned());
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let answer = Answer {
            status: status.ok_or_else(cut)?,
            head,
            body,
        };
        let length: usize = answer.header("content-length").parse().unwrap_or_default();
        if answer.body.len() == length {
            Ok(answer)
        } else {
            Err(cut())
        }
    }
}

// === impl Answer ===

impl Answer {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether it says that another service does not answer, as a problem.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self.status, 502..=504)
            && self.header("content-type") == "application/problem+json"
            && self.json()["status"] == self.status
    }

    /// A metric's value, all series together that have these labels.
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> u64 {
        let series = self.body.lines().filter(|line| {
            line.starts_with(&format!("{name}{{")) && labels.iter().all(|it| line.contains(it))
        });
        let values = series.map(|line| line.rsplit(' ').next().unwrap_or_default());
        values.map(|value| value.parse::<u64>().unwrap()).sum()
    }
}
