use async_trait::async_trait;
use http::{Extensions, HeaderMap, Method, StatusCode, header};
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next};

/// As many as `reqwest` follows, and half of what browsers do: a longer chain is a loop.
pub const DEFAULT_MAX_REDIRECTS: usize = 10;

/// Middleware that follows redirects above the spans (RFC 9110, section 15.4).
///
/// 301 and 302 turn POST into GET, as all clients have come to do, and 303 turns any method but
/// HEAD into GET; 307 and 308 send the request again as it was. `authorization`, `cookie`,
/// `proxy-authorization`, and a `host` of one's own go no further than the origin (scheme, host and
/// port) they were meant for. No `referer` is sent.
///
/// The redirect itself is the answer where it cannot be followed: no valid `location`, a scheme
/// other than `http` and `https`, or a body to be sent again that is a stream.
#[derive(Debug, Clone)]
pub struct FollowRedirects {
    max: usize,
}

/// A request was redirected more often than allowed.
#[derive(Debug, thiserror::Error)]
#[error("redirected more than {max} times, the last time to {host}")]
pub struct TooManyRedirects {
    max: usize,
    /// Not the URL: its query may hold secrets.
    host: String,
}

// === impl FollowRedirects ===

impl FollowRedirects {
    /// How many redirects of one request are followed; the next one is an error. Default:
    /// [`DEFAULT_MAX_REDIRECTS`].
    #[must_use]
    pub const fn with_max(mut self, max: usize) -> Self {
        self.max = max;
        self
    }
}

impl Default for FollowRedirects {
    fn default() -> Self {
        Self {
            max: DEFAULT_MAX_REDIRECTS,
        }
    }
}

#[async_trait]
impl Middleware for FollowRedirects {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let mut followed = 0;
        loop {
            let kept = Kept::of(&request);
            let response = next.clone().run(request, extensions).await?;
            let Some(again) = kept.redirected(&response) else {
                return Ok(response);
            };
            if followed == self.max {
                let host = again.url().host_str().unwrap_or_default().to_owned();
                return Err(Error::middleware(TooManyRedirects {
                    max: self.max,
                    host,
                }));
            }
            followed += 1;
            discard(response).await;
            request = again;
        }
    }
}

/// Reads a redirect's body, which nobody will look at, so that its connection can be used again and
/// its span is complete; a long one is left unread.
async fn discard(mut response: Response) {
    const ENOUGH: usize = 64 * 1024;
    let mut read = 0;
    // What fails here matters no more.
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > ENOUGH {
            return;
        }
    }
}

/// The request that was sent, in case it must be sent again.
struct Kept {
    request: Request,
    /// Whether its body was a stream, which went with the first sending.
    spent: bool,
}

// === impl Kept ===

impl Kept {
    fn of(request: &Request) -> Self {
        if let Some(request) = request.try_clone() {
            return Self {
                request,
                spent: false,
            };
        }
        let mut head = Request::new(request.method().clone(), request.url().clone());
        *head.headers_mut() = request.headers().clone();
        *head.timeout_mut() = request.timeout().copied();
        *head.version_mut() = request.version();
        Self {
            request: head,
            spent: true,
        }
    }

    /// The request to send next, if `response` redirects to one.
    fn redirected(self, response: &Response) -> Option<Request> {
        let Self {
            request: mut next,
            spent,
        } = self;
        let url = location(next.url(), response.headers())?;
        match (response.status(), next.method()) {
            (StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND, &Method::POST) => {
                become_bodiless(&mut next, Method::GET);
            }
            (StatusCode::SEE_OTHER, &Method::HEAD) => become_bodiless(&mut next, Method::HEAD),
            (StatusCode::SEE_OTHER, _) => become_bodiless(&mut next, Method::GET),
            (
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT,
                _,
            ) if !spent => {}
            _ => return None,
        }
        if !same_origin(next.url(), &url) {
            for name in [
                header::AUTHORIZATION,
                header::COOKIE,
                header::HOST,
                header::PROXY_AUTHORIZATION,
                header::WWW_AUTHENTICATE,
            ] {
                next.headers_mut().remove(name);
            }
        }
        *next.url_mut() = url;
        Some(next)
    }
}

/// Where the response points to. The fragment of the request lives on (RFC 9110, section 10.2.2).
fn location(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let text = std::str::from_utf8(headers.get(header::LOCATION)?.as_bytes()).ok()?;
    let mut url = from.join(text).ok()?;
    if url.fragment().is_none() {
        url.set_fragment(from.fragment());
    }
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.port_or_known_default() == b.port_or_known_default()
}

fn become_bodiless(request: &mut Request, method: Method) {
    *request.method_mut() = method;
    *request.body_mut() = None;
    for name in [
        header::CONTENT_ENCODING,
        header::CONTENT_LANGUAGE,
        header::CONTENT_LENGTH,
        header::CONTENT_LOCATION,
        header::CONTENT_TYPE,
        header::TRANSFER_ENCODING,
    ] {
        request.headers_mut().remove(name);
    }
}
