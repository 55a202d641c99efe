mod hand;
mod simulation;

use std::time::Duration;

use super::Adaptive;
use crate::Timer;

const MS: Duration = Duration::from_millis(1);
