//! What authors of listeners get: examples in several languages, a test command, and the webhook.

mod checker;
mod examples;
mod page;
mod server;
mod superlance;
mod webhook;
