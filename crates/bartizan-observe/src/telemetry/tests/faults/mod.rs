//! One fault at a time, and what the books say of it.

mod answers;
mod inside;
mod load;
mod time;

use super::*;
