/// What becomes of a request that the store does not decide: it fails, does not answer in time, or is
/// left alone by the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StoreDown {
    /// Each replica goes on by itself: a key has a budget here, of the quota or of its
    /// [part of it](super::SharedLimiterBuilder::with_replicas), besides what the
    /// [local limiter](crate::rate_limit) further out says. A client cannot take everything, and
    /// nobody is turned away for a store.
    #[default]
    LocalOnly,
    /// It passes.
    Allow,
    /// It does not: for what must never be done more often than the quota says.
    Deny,
}
