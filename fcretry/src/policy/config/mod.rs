//! A policy as configuration: TOML, JSON, or any other format that describes itself.

mod meant;
mod node;
mod read;
mod value;
mod write;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use self::node::Node;
use super::RetryPolicy;

/// Writes what was given; what was not keeps its default when it is read.
impl Serialize for RetryPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write::policy(self.data()).serialize(serializer)
    }
}

/// Reads a policy by the rules of [`RetryPolicyBuilder::build`](crate::RetryPolicyBuilder::build). The error names everything that
/// is wrong, each with its key.
impl<'de> Deserialize<'de> for RetryPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read::policy(&Node::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
