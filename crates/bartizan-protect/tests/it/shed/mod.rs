mod contract;
mod layer;
mod overload;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_protect::shed::{
    Config, Load, LoadShedLayer, Observer, PressureChange, Priority, Rejected, Shedder,
    ShedderBuilder,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

const MS: Duration = Duration::from_millis(1);

type In = Request<()>;
type Out = Response<Full<Bytes>>;

/// A load that the test says.
#[derive(Debug, Clone, Default)]
struct Told(Arc<Mutex<Load>>);

impl Told {
    fn tell(&self, saturation: f64, queue_wait: Duration) {
        let mut load = self.0.lock().unwrap();
        (load.saturation, load.queue_wait) = (saturation, queue_wait);
    }

    fn source(&self) -> impl Fn() -> Load + Send + Sync + 'static {
        let this = self.clone();
        move || *this.0.lock().unwrap()
    }
}

/// Has it be too much for so many intervals.
async fn overload<O: Observer>(shedder: &Shedder<O>, told: &Told, intervals: u32) {
    told.tell(1.0, 200 * MS);
    for _ in 0..2 * intervals {
        tokio::time::advance(50 * MS).await;
        shedder.admit(Priority::Critical).unwrap();
    }
}

async fn answer(_: In) -> Result<Out, Infallible> {
    Ok(Out::default())
}

fn request(path: &str) -> In {
    Request::builder().uri(path).body(()).unwrap()
}
