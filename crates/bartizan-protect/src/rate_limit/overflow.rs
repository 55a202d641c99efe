/// What happens to a new key whose set in the table is full of keys with budgets that are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// It shares one budget with the others that found no place in the same part of the table, of
    /// which there are up to 256. Whoever fills the table slows down those that come new, and
    /// nobody who is there.
    #[default]
    SharedBucket,
    /// It is rejected, until a key of its set has its budget back.
    Deny,
    /// It takes the place of the key that would have its budget back the soonest, whose use is
    /// forgotten. Nobody is turned away for lack of room; whoever fills the table has more than the
    /// quota.
    EvictOldest,
}
