//! A server on loopback that sends canned answers and keeps what it was sent.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

type Answer = dyn Fn(&str) -> String + Send + Sync;

/// Stops when dropped.
pub(in crate::client) struct Server {
    pub(in crate::client) addr: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

// === impl Server ===

impl Server {
    /// Answers each request by its path. An empty answer and one with `connection: close`
    /// close the connection.
    pub(in crate::client) async fn start(
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<Answer> = Arc::new(answer);
        let seen = Arc::clone(&requests);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Ends with the test's runtime at the latest.
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self {
            addr,
            requests,
            accepting,
        }
    }

    pub(in crate::client) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The requests so far: heads in lower case, bodies as they were sent.
    pub(in crate::client) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// An answer with a body.
pub(in crate::client) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// An answer that promises more than it sends.
pub(in crate::client) fn short() -> String {
    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\npart".to_owned()
}

/// An answer that redirects.
#[cfg(feature = "reqwest")]
pub(in crate::client) fn redirect(status: u16, location: &str) -> String {
    redirect_with(status, location, "")
}

#[cfg(feature = "reqwest")]
pub(in crate::client) fn redirect_with(status: u16, location: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

async fn serve(mut stream: TcpStream, answer: Arc<Answer>, seen: Arc<Mutex<Vec<String>>>) {
    while let Ok(request) = read_request(&mut stream).await {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        seen.lock().unwrap().push(request);
        let answer = answer(&path);
        let written = stream.write_all(answer.as_bytes()).await;
        if written.is_err() || answer.is_empty() || answer.contains("connection: close") {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        request.push(char::from(stream.read_u8().await?).to_ascii_lowercase());
    }
    let length = request
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    request.push_str(&String::from_utf8(body).unwrap());
    Ok(request)
}
