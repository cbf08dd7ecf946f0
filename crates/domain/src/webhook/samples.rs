//! A believable payload for each topic, always the same: for documentation, the test button and tests.
