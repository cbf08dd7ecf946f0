//! The first version of the API: one file per endpoint group, read top to bottom. Its errors have a form of their own
//! (`{"code", "details"}`, see `http/error.rs`), and what is not found is a 400.

pub mod sms;
