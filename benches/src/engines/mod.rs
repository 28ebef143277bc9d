//! The stores that can be measured here. Others implement [`Engine`](crate::engine::Engine) in a workspace of their own.

pub mod nothing;
pub mod slice;
