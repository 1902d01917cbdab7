//! What people and programs meet over HTTP besides XML-RPC: roles, TLS, forged requests.

mod crosssite;
mod roles;
mod strict;
mod support;
mod tls;
