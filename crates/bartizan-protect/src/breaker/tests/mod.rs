//! The pure core, with the time and chance given.

mod against_model;
mod circuit;
mod config;
mod driver;
mod model;
mod registry;
