use super::Decision;

/// Is told what a limiter does. Every method does nothing by default, and `()` listens to nothing.
///
/// Called on the caller's thread, outside every lock; what it does is time that the call waits.
pub trait Observer: Send + Sync + 'static {
    /// What is kept for each policy, such as its instruments, so that nothing has to be looked up
    /// for a call.
    type Policy: Send + Sync + 'static;

    /// A policy of that name, of a limiter that is being made.
    fn policy(&self, name: &str) -> Self::Policy;

    /// A policy has decided.
    fn decided(&self, policy: &Self::Policy, decision: &Decision) {
        let _ = (policy, decision);
    }

    /// A request has no key for a policy, and is treated by its
    /// [`MissingKey`](super::MissingKey): for the `first` time since it was made, which is worth a
    /// warning, or once more.
    fn key_missing(&self, policy: &Self::Policy, first: bool) {
        let _ = (policy, first);
    }
}

impl Observer for () {
    type Policy = ();

    fn policy(&self, _: &str) -> Self::Policy {}
}
