//! What a test asks a service for, and what it wants to know of the answer.

use std::io;
use std::net::SocketAddr;

use crate::support::http::{Answer, exchange};

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
        let answer = exchange(address, &request).await?;
        // Of one that does not say how long it is, nobody knows whether it was cut off.
        let says = answer.header("content-length").is_some();
        assert!(says || answer.body.is_empty(), "{answer:?}");
        Ok(answer)
    }
}

// === impl Answer ===

impl Answer {
    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether it says that another service does not answer, as a problem.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self.status, 502..=504)
            && self.header("content-type") == Some("application/problem+json")
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
