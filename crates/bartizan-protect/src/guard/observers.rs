use crate::{breaker, bulkhead, rate_limit};

/// Who is told what the parts of a [`Guard`](super::Guard) do: a tuple of an observer of the rate
/// limiter, one of the bulkhead, and one of the breaker. It names them in one type, and is not for
/// others to implement.
pub trait Observers: sealed::Sealed {
    /// The rate limiter's.
    type RateLimit: rate_limit::Observer;
    /// The bulkhead's.
    type Bulkhead: bulkhead::Observer;
    /// The breaker's.
    type Breaker: breaker::Observer;
}

impl<R, B, C> Observers for (R, B, C)
where
    R: rate_limit::Observer,
    B: bulkhead::Observer,
    C: breaker::Observer,
{
    type RateLimit = R;
    type Bulkhead = B;
    type Breaker = C;
}

mod sealed {
    #[expect(unnameable_types, reason = "so that nobody else can implement it")]
    pub trait Sealed {}

    impl<R, B, C> Sealed for (R, B, C) {}
}
