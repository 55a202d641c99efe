use bartizan::task;
use shop::keys::IdempotencyKey;
use tokio::task::JoinError;

use crate::active::Active;
use crate::calls::{Inventory, Payments};
use crate::db::{Begun, Unsettled};
use crate::{CallError, Db, DbError, NewOrder, Order, Status, Upstream};

/// How many orders one sweep undoes at most, so that it ends.
const SWEPT_AT_ONCE: u32 = 100;

/// Orders and what they take: stock from the inventory and money from the payments; clones are the
/// same ones.
///
/// **Placing one** is: write it as pending; reserve the stock, whose answer has the price; authorise
/// the payment; confirm the stock; write it as placed. The last write is the decision. Whatever
/// fails before it, the order is written as undoing, the stock is released, the payment voided, and
/// the order written as rejected.
///
/// **Nothing stays half placed.** All calls are keyed by a reference that is in the database before
/// the first of them, so each can be undone whether or not its answer came; and what is undone
/// before it arrives is refused when it does. The work is a task of its own: a client that goes away
/// does not stop it half-way. If the process does, or if undoing fails, the order is still pending
/// or undoing in the database, and [`Orders::sweep`] undoes it later.
///
/// **Only one of the two happens.** Placed and undoing are both reached from pending only, each by
/// one statement that looks: an order is never placed and undone, by whichever process. Still a
/// database is for one process at a time: a sweep takes for left behind what another one works on.
#[derive(Debug, Clone)]
pub struct Orders {
    db: Db,
    inventory: Inventory,
    payments: Payments,
    active: Active,
}

/// An order that has what it takes, and whether this call placed it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "now or before, there is no third")]
pub enum Placed {
    /// It was placed now.
    Now(Order),
    /// It was, with the same key.
    Before(Order),
}

/// An order was not placed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The inventory or the payments refused, or have not answered.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The key has placed, or is placing, something else.
    #[error("the idempotency key was used for another order")]
    KeyReused,
    /// The key's order is being worked on.
    #[error("an order with this idempotency key is being worked on")]
    InProgress,
    /// Somebody has undone it meanwhile.
    #[error("the order was undone while it was being placed")]
    Overtaken,
    /// Too many are being placed.
    #[error("too many orders are being worked on")]
    TooMany,
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The task panicked, or the runtime is going down.
    #[error("the order's task did not finish: {0}")]
    Stopped(#[from] JoinError),
}

/// What an order that is not placed may have.
#[derive(Debug, Clone, Copy)]
struct Has {
    stock: bool,
    payment: bool,
}

/// Where placing an order ended.
struct Failed {
    why: PlaceError,
    has: Has,
}

// === impl Orders ===

impl Orders {
    /// Orders in `db`.
    #[must_use]
    pub fn new(db: Db, inventory: Upstream, payments: Upstream) -> Self {
        Self {
            db,
            inventory: Inventory(inventory),
            payments: Payments(payments),
            active: Active::default(),
        }
    }

    /// An order, or `None` if there is none of that id.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn order(&self, id: i64) -> Result<Option<Order>, DbError> {
        self.db.order(id).await
    }

    /// Places an order, or finds the one that `key` has placed.
    ///
    /// # Errors
    ///
    /// See [`PlaceError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops nothing: the order is placed or undone all the same.
    pub async fn place(
        &self,
        new: NewOrder,
        key: Option<IdempotencyKey>,
    ) -> Result<Placed, PlaceError> {
        let this = self.clone();
        task::spawn("place order", async move { this.run(new, key).await }).await?
    }

    /// Undoes the orders that are neither placed nor rejected and that nobody works on: those that a
    /// crash has left, or that could not be undone before. Gives how many are rejected now.
    ///
    /// # Errors
    ///
    /// When the database does not answer. A service that does not is tried again by the next sweep.
    pub async fn sweep(&self) -> Result<usize, DbError> {
        let mut rejected = 0;
        for Unsettled { id, reference } in self.db.unsettled(SWEPT_AT_ONCE).await? {
            if self.active.contains(&reference) {
                continue;
            }
            let everything = Has {
                stock: true,
                payment: true,
            };
            let undone = self.undo(id, &reference, "interrupted".to_owned(), everything);
            if undone.await? {
                rejected += 1;
            }
        }
        Ok(rejected)
    }

    /// Waits until no order is worked on. Cancel safe.
    pub async fn idle(&self) {
        self.active.idle().await;
    }

    #[tracing::instrument(name = "place order", skip_all)]
    async fn run(&self, new: NewOrder, key: Option<IdempotencyKey>) -> Result<Placed, PlaceError> {
        let reference = format!("{:032x}", rand::random::<u128>());
        // Before the order is in the database, so that no sweep takes it for one left behind.
        let working = self.active.enter(reference.clone());
        let _working = working.ok_or(PlaceError::TooMany)?;
        let key = key.map(|key| key.as_str().to_owned());
        let order = match self.db.begin(reference.clone(), key, new).await? {
            Begun::Now(order) => order,
            Begun::Before(order) => return placed_before(order, new),
        };
        match self.acquire(&order, &reference, new).await {
            Ok(order) => {
                tracing::info!(
                    order.id = order.id,
                    product.id = order.product_id,
                    quantity = order.quantity,
                    total_cents = order.total_cents,
                    "order placed"
                );
                Ok(Placed::Now(order))
            }
            Err(Failed { why, has }) => {
                tracing::info!(order.id = order.id, reason = %why, "order not placed");
                let undone = self.undo(order.id, &reference, why.to_string(), has).await;
                if let Err(error) = undone {
                    tracing::error!(order.id = order.id, %error, "order not undone yet");
                }
                Err(why)
            }
        }
    }

    /// Gets the order what it takes and decides.
    async fn acquire(
        &self,
        order: &Order,
        reference: &str,
        new: NewOrder,
    ) -> Result<Order, Failed> {
        let reserved = self.inventory.reserve(reference, new).await;
        let price_cents = reserved.map_err(|why| Failed {
            has: Has {
                stock: why.may_be_done(),
                payment: false,
            },
            why: why.into(),
        })?;
        // At most 100 times a price; saturating costs nothing and cannot wrap.
        let total_cents = price_cents.saturating_mul(new.quantity.get());
        let authorised = self.payments.authorise(reference, total_cents).await;
        let payment = authorised.map_err(|why| Failed {
            has: Has {
                stock: true,
                payment: why.may_be_done(),
            },
            why: why.into(),
        })?;
        tracing::debug!(payment.id = payment, "stock and payment are there");
        let failed = |why| Failed {
            why,
            has: Has {
                stock: true,
                payment: true,
            },
        };
        let confirmed = self.inventory.confirm(reference).await;
        confirmed.map_err(|why| failed(why.into()))?;
        let placed = self.db.place(order.id, total_cents).await;
        placed
            .map_err(|why| failed(why.into()))?
            .ok_or_else(|| failed(PlaceError::Overtaken))
    }

    /// Gives back what the order may have, unless it is placed, and says whether it is rejected now.
    #[tracing::instrument(name = "undo order", skip_all)]
    async fn undo(
        &self,
        id: i64,
        reference: &str,
        reason: String,
        has: Has,
    ) -> Result<bool, DbError> {
        if !self.db.undo(id, reason).await? {
            return Ok(false);
        }
        let release = async {
            if has.stock {
                self.inventory.release(reference).await?;
            }
            Ok::<_, CallError>(())
        };
        let void = async {
            if has.payment {
                self.payments.void(reference).await?;
            }
            Ok::<_, CallError>(())
        };
        let (released, voided) = tokio::join!(release, void);
        if let Err(error) = released.and(voided) {
            tracing::warn!(order.id = id, %error, "order not undone yet");
            return Ok(false);
        }
        self.db.reject(id).await?;
        tracing::info!(order.id = id, "order rejected");
        Ok(true)
    }
}

// === impl CallError ===

impl CallError {
    /// Whether what was asked for may have been done.
    const fn may_be_done(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

/// The answer to a key that has begun an order before.
fn placed_before(order: Order, new: NewOrder) -> Result<Placed, PlaceError> {
    if (order.product_id, order.quantity) != (new.product_id, new.quantity.get()) {
        return Err(PlaceError::KeyReused);
    }
    match order.status {
        Status::Placed => Ok(Placed::Before(order)),
        Status::Pending | Status::Undoing | Status::Rejected => Err(PlaceError::InProgress),
    }
}
