//! Load shedding that is seen: that of [`bartizan_protect`], told as metrics, events and lines, and
//! answering 503 for the service.

mod layer;
mod observer;

pub use bartizan_protect::shed::{
    Config, ConfigBuilder, HEALTH_PATHS, Load, LoadSource, Observer, PressureChange, Priorities,
    Priority, Rejected, Shedder, ShedderBuilder, Snapshot, is_health_probe,
};
pub use layer::LoadShedLayer;
pub use observer::ShedObserver;
