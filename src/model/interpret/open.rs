//! What a question would need to know of a packet that leaves it open, in words.
//!
//! INVARIANT: each field has words of its own kind; a packet that says all its fields needs none of them.

use std::sync::Arc;

use crate::packet::Field;

/// Why it is not known whether a packet meets a test of this field.
pub(super) fn why(field: Field) -> Arc<str> {
    Arc::from(match field {
        Field::Family | Field::Protocol => "which protocol the packet is of is not said",
        Field::Service => "which port or type the packet is for is not said",
        Field::SourcePort => "which port the packet comes from is not said",
        Field::Source4 | Field::Source6 => "which address the packet comes from is not said",
        Field::Destination4 | Field::Destination6 => "which address the packet is for is not known",
        Field::SourceIdentity | Field::DestinationIdentity => {
            "which groups the packet's ends are in is not known"
        }
        Field::InInterface => "by which interface the packet comes is not said",
        Field::OutInterface => "by which interface the packet leaves is not said",
        Field::State => "which state its connection is in is not said",
        Field::TcpFlags => "which flags the packet has is not said",
        Field::SourceClass | Field::DestinationClass => "whether an address is one of this host is not known",
        Field::StatusSnat | Field::StatusDnat => "whether its connection is translated is not known",
        Field::Fragment => "whether the packet is a fragment is not said",
        Field::Mark(_) => {
            "which mark the packet has is not known: it comes from the connection, or is computed"
        }
        Field::Property(_) => "a property of the packet is not known",
    })
}
