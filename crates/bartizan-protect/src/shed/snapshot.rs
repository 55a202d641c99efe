use super::{Load, Priority};

/// How load shedding stands.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// How much was shed of the last call's like: from 0 to 1 the part of what is
    /// [sheddable](Priority::Sheddable), from 1 to 2 all of that, and the part above 1 of what has
    /// the [default](Priority::Default) priority.
    pub pressure: f64,
    /// How much there is to do now.
    pub load: Load,
    /// How many calls were let through so far.
    pub admitted: [(Priority, u64); 3],
    /// How many were shed.
    pub shed: [(Priority, u64); 3],
}
