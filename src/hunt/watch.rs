//! Watching how well the head sits.
