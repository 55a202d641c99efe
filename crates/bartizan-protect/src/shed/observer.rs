use super::Rejected;

/// Is told what is shed. Every method does nothing by default, and `()` listens to nothing.
///
/// Called on the caller's thread, outside every lock that a call needs; what it does is time that
/// the call waits.
pub trait Observer: Send + Sync + 'static {
    /// A call was shed.
    fn rejected(&self, rejected: &Rejected) {
        let _ = rejected;
    }

    /// More is shed now, or less. Told once, to whoever's call has found it out.
    fn changed(&self, change: &PressureChange<'_>) {
        let _ = change;
    }
}

impl Observer for () {}

/// How much is shed has changed. See [`Snapshot::pressure`](super::Snapshot::pressure).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct PressureChange<'a> {
    /// The name of what sheds.
    pub shedder: &'a str,
    /// From what.
    pub from: f64,
    /// To what.
    pub to: f64,
}
