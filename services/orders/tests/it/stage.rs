//! The three services.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use inventory::{Catalogue, Limits, Shelves, Stock};
use orders::{Db, Orders, Upstream, router};
use payments::{Amount, Ledger};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::gate::{Gate, How};

/// How many there are of each product.
pub(crate) const STOCK: u32 = 1_000;

/// The most that is authorised, in cents: of the first product, 20.
const LIMIT: i64 = 98_000;

/// How long a call may take where none of them hangs: long enough for the busiest machine.
const PATIENT: Duration = Duration::from_secs(30);

/// Where one does, since then it is waited for.
const IMPATIENT: Duration = Duration::from_millis(400);

/// The real inventory and payments, with a gate before each, and orders that use them.
pub(crate) struct Stage {
    pub(crate) gate: Gate,
    pub(crate) orders: Orders,
    pub(crate) shelves: Shelves,
    pub(crate) ledger: Ledger,
    inventory: String,
    payments: String,
    patience: Duration,
}

// === impl Stage ===

impl Stage {
    /// With orders in memory.
    pub(crate) async fn set() -> Self {
        Self::set_with(Path::new(orders::DEFAULT_DATABASE), PATIENT).await
    }

    /// The same, where a call may hang.
    pub(crate) async fn set_for(how: How) -> Self {
        let patience = match how {
            How::Fail | How::LoseAnswer | How::Late => PATIENT,
            How::Hang | How::HangAfter => IMPATIENT,
        };
        Self::set_with(Path::new(orders::DEFAULT_DATABASE), patience).await
    }

    /// With orders that give a call up soon.
    pub(crate) async fn set_impatient() -> Self {
        Self::set_for(How::Hang).await
    }

    /// With orders in this file.
    pub(crate) async fn set_in(database: &Path) -> Self {
        Self::set_with(database, PATIENT).await
    }

    async fn set_with(database: &Path, patience: Duration) -> Self {
        let stock = Stock::new(Catalogue::with_stock(STOCK), Limits::default());
        let shelves = Shelves::new(stock);
        let ledger = Ledger::new(Amount::try_from(LIMIT).unwrap());
        let gate = Gate::open();
        let inventory = serve(gate.around(inventory::router(shelves.clone()))).await;
        let payments = serve(gate.around(payments::router(ledger.clone()))).await;
        Self {
            orders: orders(database, &inventory, &payments, patience),
            gate,
            shelves,
            ledger,
            inventory,
            payments,
            patience,
        }
    }

    /// Another order service on the same database, as after a restart.
    pub(crate) fn orders_of(&self, database: &Path) -> Orders {
        orders(database, &self.inventory, &self.payments, self.patience)
    }

    pub(crate) fn app(&self) -> Router {
        router(self.orders.clone())
    }

    /// Everything that is sold is paid for, nothing is held, and the rest is on the shelf.
    #[track_caller]
    pub(crate) fn assert_balanced(&self, placed: u64, said: &str) {
        let mut sold = 0;
        for row in self.shelves.ledger() {
            let all = row.available + row.reserved + row.sold;
            assert_eq!((all, row.reserved), (STOCK.into(), 0), "{said}: {row:?}");
            sold += row.sold;
        }
        let totals = self.ledger.totals();
        assert_eq!(totals.payments, placed, "{said}: {totals:?}");
        // One of the first product each.
        let placed = i64::try_from(placed).unwrap();
        assert_eq!(sold, placed, "{said}");
        assert_eq!(totals.authorised_cents, placed * 4_900, "{said}");
    }
}

fn orders(database: &Path, inventory: &str, payments: &str, patience: Duration) -> Orders {
    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let client = reqwest::Client::builder().no_proxy().timeout(patience);
    let client = bartizan::client::reqwest(client, &telemetry).unwrap();
    let upstream = |name, url: &str| Upstream::new(name, client.clone(), url.parse().unwrap());
    Orders::new(
        Db::open(database).unwrap(),
        upstream("inventory", inventory),
        upstream("payments", payments),
    )
}

/// Serves on a free port, and gives its URL.
pub(crate) async fn serve(app: Router) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// One of the first product.
pub(crate) fn one() -> Value {
    json!({"product_id": 1, "quantity": 1})
}

pub(crate) async fn get(app: &Router, path: &str) -> (StatusCode, Value) {
    answer(app, Request::get(path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post(app: &Router, body: impl ToString) -> (StatusCode, Value) {
    answer(app, order(body, None)).await
}

pub(crate) async fn post_with_key(
    app: &Router,
    body: impl ToString,
    key: &str,
) -> (StatusCode, Value) {
    answer(app, order(body, Some(key))).await
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "whatever it is, the text is taken"
)]
pub(crate) fn order(body: impl ToString, key: Option<&str>) -> Request<Body> {
    let mut request = Request::post("/orders").header(header::CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

async fn answer(app: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let kind = response.headers()[header::CONTENT_TYPE].clone();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    if status.is_success() {
        assert_eq!(kind, "application/json");
    } else {
        assert_eq!(kind, "application/problem+json");
        assert_eq!(body["status"], status.as_u16());
    }
    (status, body)
}

/// A database path of this test's own, removed with its side files afterwards.
pub(crate) struct TempDb {
    pub(crate) path: PathBuf,
}

pub(crate) fn tempfile() -> TempDb {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "orders-{}-{}.db",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    TempDb {
        path: Path::new(env!("CARGO_TARGET_TMPDIR")).join(name),
    }
}

impl Drop for TempDb {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            let _ = std::fs::remove_file(path);
        }
    }
}
