/// What a request is charged to whose key cannot be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MissingKey {
    /// To its peer's address, and where that is not known either, to one budget that all such
    /// requests share.
    #[default]
    Peer,
    /// To one budget that all such requests share.
    Shared,
    /// To nobody: it is rejected.
    Deny,
}
