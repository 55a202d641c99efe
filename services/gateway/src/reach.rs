use axum::BoxError;
use bartizan::admin::Check;
use bartizan::client::ClientWithMiddleware;
use reqwest::Url;

/// Whether the service at `base` can be reached and says that it is well.
pub(crate) fn reach(name: &'static str, client: &ClientWithMiddleware, base: &Url) -> Check {
    let (client, mut url) = (client.clone(), base.clone());
    // Only URLs without an authority, such as `mailto:`, have no path to extend.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("healthz");
    }
    Check::new(name, move || {
        let asked = client.get(url.clone()).send();
        async move {
            asked.await?.error_for_status()?;
            Ok::<_, BoxError>(())
        }
    })
}
