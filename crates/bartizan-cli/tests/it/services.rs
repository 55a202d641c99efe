//! Two services as a user would wire them, one in front of the other.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use bartizan::admin::Admin;
use bartizan::telemetry::{BatchConfig, OtlpConfig, OtlpProtocol};
use bartizan::{Server, Telemetry};
use tokio::net::TcpListener;

/// Where they are.
pub(crate) struct Services {
    /// A route that calls the other service.
    pub(crate) front: String,
    /// A route that does not.
    pub(crate) alone: String,
    /// The admin port of the one in front.
    pub(crate) admin: String,
}

impl Services {
    /// Starts both; they end with the test's runtime.
    pub(crate) async fn start(otlp: &str) -> Self {
        let called = telemetry("inventory", otlp);
        let stock = Router::new().route("/", get(|| async { "stock" }));
        let (inventory, _) = serve(stock, called).await;

        let calling = telemetry("gateway", otlp);
        let builder = reqwest::Client::builder().no_proxy();
        let client = bartizan::client::reqwest(builder, &calling).unwrap();
        let ask = move || {
            let sent = client.get(&inventory).send();
            async move {
                match sent.await {
                    Ok(response) => response.status(),
                    Err(_) => StatusCode::BAD_GATEWAY,
                }
            }
        };
        let routes = Router::new()
            .route("/products", get(ask))
            .route("/alone", get(|| async { "here" }));
        let (front, admin) = serve(routes, calling).await;
        Self {
            alone: format!("{front}alone"),
            front: format!("{front}products"),
            admin,
        }
    }
}

fn telemetry(service: &str, otlp: &str) -> Telemetry {
    let otlp = OtlpConfig::new(otlp, OtlpProtocol::HttpProtobuf).unwrap();
    Telemetry::builder()
        .with_service_name(service)
        .with_otlp(otlp)
        .with_span_batch(BatchConfig::spans().with_delay(Duration::from_millis(20)))
        .with_own_metrics()
        .with_exposition()
        .build()
        .unwrap()
}

/// The URLs of the service and of its admin port.
async fn serve(routes: Router, telemetry: Telemetry) -> (String, String) {
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = |listener: &TcpListener| format!("http://{}/", listener.local_addr().unwrap());
    let urls = (url(&listener), url(&admin));
    let server = Server::new(routes.layer(stack), telemetry)
        .with_admin(admin, Admin::new())
        .with_stop(pending());
    tokio::spawn(server.serve(listener));
    urls
}
