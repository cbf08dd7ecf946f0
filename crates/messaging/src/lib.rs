//! Carriers: the ways texts come in and go out, and the sandbox, the outside world in a box.

mod carrier;
pub mod media;
pub mod play;
pub mod sandbox;
pub mod twilio;
pub mod worker;

pub use carrier::{Accepted, Carrier, Carriers, FollowUp, Found, Inbound, InboundError, SendError, Webhook};
