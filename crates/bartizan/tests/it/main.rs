//! The facade on real routers: what a request leaves behind, seen by an OTLP receiver.

mod connections;
mod hard_paths;
mod ids;
mod sampling;
mod stacking;
mod support;
mod trust;
